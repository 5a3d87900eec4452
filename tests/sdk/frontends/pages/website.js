// supertokens-website alone: the forms' requests are the page's own.
import SuperTokens from "supertokens-website";
import { api, fieldsOf, publish, session, storage } from "./common.js";

SuperTokens.init({ apiDomain: api, ...session, ...storage });

const send = (path) => async (email) => {
  const body = JSON.stringify({ formFields: fieldsOf(email) });
  const reply = await fetch(api + path, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return (await reply.json()).status;
};

publish({
  signUp: send("/auth/signup"),
  signIn: send("/auth/signin"),
  signOut: () => SuperTokens.signOut(),
  refresh: () => SuperTokens.attemptRefreshingSession(),
  user: async () => ((await SuperTokens.doesSessionExist()) ? SuperTokens.getUserId() : null),
  payload: () => SuperTokens.getAccessTokenPayloadSecurely(),
});
