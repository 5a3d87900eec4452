//! Portuguese.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "{app}: escolha uma nova senha",
        intro: "Alguém, provavelmente você, pediu uma nova senha para a sua conta em {app}.",
        action: "Escolher uma nova senha",
        ignore: "Se não foi você, não é preciso fazer nada: a sua senha continua a mesma.",
    },
    email_verification: Words {
        subject: "{app}: confirme o seu endereço de e-mail",
        intro: "Confirme, por favor, que este endereço de e-mail é o da sua conta em {app}.",
        action: "Confirmar o endereço",
        ignore: "Se você não tem uma conta lá, não é preciso fazer nada.",
    },
    passwordless_login: Words {
        subject: "{app}: o seu acesso",
        intro: "Alguém, provavelmente você, está entrando em {app} com este endereço.",
        action: "Entrar",
        ignore: "Se não foi você, não é preciso fazer nada. Não encaminhe esta mensagem.",
    },
    test: Words {
        subject: "{app}: mensagem de teste",
        intro: "Esta mensagem mostra que {app} consegue enviar e-mails.",
        action: "Abrir",
        ignore: "Não é preciso fazer nada.",
    },
    link_hint: "Se o botão não funcionar, abra este endereço:",
    code_hint: "Digite este código onde você está entrando:",
    text_code: "Seu código de {app}:",
    text_link: "Entre em {app}:",
    validity: "Válido por {lifetime} e uma única vez.",
    footer: "Esta mensagem é destinada a {email}.",
};
