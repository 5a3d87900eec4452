//! Japanese.

use super::words::{Messages, Words};

pub(super) const MESSAGES: Messages = Messages {
    password_reset: Words {
        subject: "【{app}】新しいパスワードの設定",
        intro: "{app} のアカウントについて、新しいパスワードの設定が求められました。",
        action: "新しいパスワードを設定する",
        ignore: "お心当たりがない場合は、何もする必要はありません。パスワードはそのままです。",
    },
    email_verification: Words {
        subject: "【{app}】メールアドレスの確認",
        intro: "このメールアドレスが {app} のアカウントのものであることをご確認ください。",
        action: "アドレスを確認する",
        ignore: "アカウントをお持ちでない場合は、何もする必要はありません。",
    },
    passwordless_login: Words {
        subject: "【{app}】サインインのご案内",
        intro: "このアドレスで {app} へのサインインが行われています。",
        action: "サインインする",
        ignore: "お心当たりがない場合は、何もする必要はありません。このメールは転送しないでください。",
    },
    test: Words {
        subject: "【{app}】テストメール",
        intro: "このメールは、{app} がメールを送信できることを示すものです。",
        action: "開く",
        ignore: "何もする必要はありません。",
    },
    link_hint: "ボタンが使えない場合は、次のアドレスを開いてください。",
    code_hint: "サインインの画面で次のコードを入力してください。",
    text_code: "{app} のコード:",
    text_link: "{app} にサインイン:",
    validity: "有効期間は{lifetime}で、一度だけ使えます。",
    footer: "このメールは {email} 宛てです。",
};
