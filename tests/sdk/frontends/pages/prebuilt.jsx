// Three sites on the SDK's prebuilt pages. On each, "/" is for people who are signed in, with a verified address and all
// factors that they need. www.codes.localhost signs in by mailed codes and links, www.texts.localhost by codes in text
// messages, www.pages.localhost by password or provider.
import { createRoot } from "react-dom/client";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import EmailPassword from "supertokens-auth-react/recipe/emailpassword";
import { EmailPasswordPreBuiltUI } from "supertokens-auth-react/recipe/emailpassword/prebuiltui";
import EmailVerification from "supertokens-auth-react/recipe/emailverification";
import { EmailVerificationPreBuiltUI } from "supertokens-auth-react/recipe/emailverification/prebuiltui";
import MultiFactorAuth from "supertokens-auth-react/recipe/multifactorauth";
import { MultiFactorAuthPreBuiltUI } from "supertokens-auth-react/recipe/multifactorauth/prebuiltui";
import Passwordless from "supertokens-auth-react/recipe/passwordless";
import { PasswordlessPreBuiltUI } from "supertokens-auth-react/recipe/passwordless/prebuiltui";
import Session, { SessionAuth, signOut, useSessionContext } from "supertokens-auth-react/recipe/session";
import ThirdParty from "supertokens-auth-react/recipe/thirdparty";
import { ThirdPartyPreBuiltUI } from "supertokens-auth-react/recipe/thirdparty/prebuiltui";
import TOTP from "supertokens-auth-react/recipe/totp";
import { TOTPPreBuiltUI } from "supertokens-auth-react/recipe/totp/prebuiltui";
import { canHandleRoute, getRoutingComponent } from "supertokens-auth-react/ui";

const [, site] = location.hostname.split(".");

// Which ways there are is the server's affair: the pages ask for it.
const recipes = {
  codes: [Passwordless.init({ contactMethod: "EMAIL" })],
  texts: [Passwordless.init({ contactMethod: "PHONE" })],
  pages: [
    EmailPassword.init(),
    ThirdParty.init(),
    EmailVerification.init({ mode: "REQUIRED" }),
    Passwordless.init({ contactMethod: "EMAIL" }),
    MultiFactorAuth.init(),
    TOTP.init(),
  ],
};
const pages = [PasswordlessPreBuiltUI];
if (site === "pages") {
  pages.push(EmailPasswordPreBuiltUI, ThirdPartyPreBuiltUI, EmailVerificationPreBuiltUI);
  pages.push(MultiFactorAuthPreBuiltUI, TOTPPreBuiltUI);
}

SuperTokens.init({
  appInfo: {
    appName: "Prebuilt",
    apiDomain: location.origin.replace("//www.", "//auth."),
    websiteDomain: location.origin,
  },
  usesDynamicLoginMethods: true,
  recipeList: [...recipes[site], Session.init()],
});

async function leave() {
  await signOut();
  location.assign("/auth");
}

function Person() {
  const { userId, accessTokenPayload } = useSessionContext();
  return (
    <main>
      Signed in as <b id="user">{userId}</b>
      <pre id="claims">{JSON.stringify(accessTokenPayload)}</pre>
      <button onClick={leave}>Sign out</button>
    </main>
  );
}

function Page() {
  if (canHandleRoute(pages)) return getRoutingComponent(pages);
  return (
    <SessionAuth>
      <Person />
    </SessionAuth>
  );
}

createRoot(document.querySelector("#root")).render(
  <SuperTokensWrapper>
    <Page />
  </SuperTokensWrapper>,
);
