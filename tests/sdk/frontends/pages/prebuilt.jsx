// Two sites on the SDK's prebuilt pages. On both, "/" is for people who are signed in, with a verified address and all
// factors that they need; www.codes.localhost signs in by mailed codes and links, the other one by password or provider.
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

const isOfCodes = location.hostname === "www.codes.localhost";

const providers = ["Ours", "Theirs"].map((name) => ({ id: name.toLowerCase(), name }));
const recipes = isOfCodes
  ? [Passwordless.init({ contactMethod: "EMAIL" })]
  : [
      EmailPassword.init(),
      ThirdParty.init({ signInAndUpFeature: { providers } }),
      EmailVerification.init({ mode: "REQUIRED" }),
      Passwordless.init({ contactMethod: "EMAIL" }),
      MultiFactorAuth.init({ firstFactors: ["emailpassword", "thirdparty"] }),
      TOTP.init(),
    ];
const pages = isOfCodes
  ? [PasswordlessPreBuiltUI]
  : [
      EmailPasswordPreBuiltUI,
      ThirdPartyPreBuiltUI,
      EmailVerificationPreBuiltUI,
      PasswordlessPreBuiltUI,
      MultiFactorAuthPreBuiltUI,
      TOTPPreBuiltUI,
    ];

SuperTokens.init({
  appInfo: {
    appName: "Prebuilt",
    apiDomain: location.origin.replace("//www.", "//auth."),
    websiteDomain: location.origin,
  },
  recipeList: [...recipes, Session.init()],
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
