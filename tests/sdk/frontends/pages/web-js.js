// supertokens-web-js: recipes without pages.
import SuperTokens from "supertokens-web-js";
import EmailPassword from "supertokens-web-js/recipe/emailpassword";
import EmailVerification from "supertokens-web-js/recipe/emailverification";
import Session from "supertokens-web-js/recipe/session";
import { api, fieldsOf, publish, session, storage } from "./common.js";

SuperTokens.init({
  appInfo: { appName: "Test", apiDomain: api },
  recipeList: [EmailPassword.init(), EmailVerification.init(), Session.init(session)],
  ...storage,
});

publish({
  signUp: async (email) => (await EmailPassword.signUp({ formFields: fieldsOf(email) })).status,
  signIn: async (email) => (await EmailPassword.signIn({ formFields: fieldsOf(email) })).status,
  signOut: () => Session.signOut(),
  refresh: () => Session.attemptRefreshingSession(),
  user: async () => ((await Session.doesSessionExist()) ? Session.getUserId() : null),
  payload: () => Session.getAccessTokenPayloadSecurely(),
});
