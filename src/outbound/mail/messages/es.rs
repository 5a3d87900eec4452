//! Spanish.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "{app}: elige una contraseña nueva",
        intro: "Alguien, seguramente tú, ha pedido una contraseña nueva para tu cuenta de {app}.",
        action: "Elegir una contraseña nueva",
        ignore: "Si no has sido tú, no tienes que hacer nada: tu contraseña sigue siendo la misma.",
    },
    email_verification: Words {
        subject: "{app}: confirma tu dirección de correo",
        intro: "Confirma, por favor, que esta dirección de correo es la de tu cuenta de {app}.",
        action: "Confirmar la dirección",
        ignore: "Si no tienes una cuenta allí, no tienes que hacer nada.",
    },
    passwordless_login: Words {
        subject: "{app}: tu inicio de sesión",
        intro: "Alguien, seguramente tú, está iniciando sesión en {app} con esta dirección.",
        action: "Iniciar sesión",
        ignore: "Si no has sido tú, no tienes que hacer nada. No reenvíes este mensaje.",
    },
    test: Words {
        subject: "{app}: mensaje de prueba",
        intro: "Este mensaje muestra que {app} puede enviar correo.",
        action: "Abrir",
        ignore: "No tienes que hacer nada.",
    },
    link_hint: "Si el botón no funciona, abre esta dirección:",
    code_hint: "Escribe este código donde estás iniciando sesión:",
    text_code: "Tu código de {app}:",
    text_link: "Inicia sesión en {app}:",
    validity: "Válido durante {lifetime} y una sola vez.",
    footer: "Este mensaje es para {email}.",
};
