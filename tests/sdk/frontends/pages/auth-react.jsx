// supertokens-auth-react: the session as its components see it.
import { createRoot } from "react-dom/client";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import EmailPassword, { signIn, signUp } from "supertokens-auth-react/recipe/emailpassword";
import EmailVerification from "supertokens-auth-react/recipe/emailverification";
import Session, * as sessions from "supertokens-auth-react/recipe/session";
import { api, fieldsOf, publish, session, storage } from "./common.js";

SuperTokens.init({
  appInfo: { appName: "Test", apiDomain: api, websiteDomain: location.origin },
  recipeList: [EmailPassword.init(), EmailVerification.init({ mode: "OPTIONAL" }), Session.init(session)],
  ...storage,
});

function Person() {
  const context = sessions.useSessionContext();
  return <b id="user">{context.loading ? "…" : context.userId}</b>;
}

publish({
  signUp: async (email) => (await signUp({ formFields: fieldsOf(email) })).status,
  signIn: async (email) => (await signIn({ formFields: fieldsOf(email) })).status,
  signOut: () => sessions.signOut(),
  refresh: () => sessions.attemptRefreshingSession(),
  user: async () => ((await sessions.doesSessionExist()) && document.querySelector("#user")?.textContent) || null,
  payload: () => sessions.getAccessTokenPayloadSecurely(),
});

createRoot(document.querySelector("#root")).render(
  <SuperTokensWrapper>
    <sessions.SessionAuth requireAuth={false}>
      <Person />
    </sessions.SessionAuth>
  </SuperTokensWrapper>,
);
