// What the pages of all versions of supertokens-web-js do.
import { api, fieldsOf, publish, session, storage } from "./common.js";

export function use(SuperTokens, EmailPassword, EmailVerification, Session) {
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
}
