// supertokens-website alone: the forms' requests are the page's own.
import SuperTokens from "supertokens-website";
import { api, base, fieldsOf, publish, session, storage } from "./common.js";

SuperTokens.init({ apiDomain: api, apiBasePath: base, ...session, ...storage });

const send = (path) => async (email) => {
  const body = JSON.stringify({ formFields: fieldsOf(email) });
  const reply = await fetch(api + base + path, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return (await reply.json()).status;
};

publish({
  signUp: send("/signup"),
  signIn: send("/signin"),
  askForMail: send("/user/email/verify/token"),
  signOut: () => SuperTokens.signOut(),
  refresh: () => SuperTokens.attemptRefreshingSession(),
  user: async () => ((await SuperTokens.doesSessionExist()) ? SuperTokens.getUserId() : null),
  payload: () => SuperTokens.getAccessTokenPayloadSecurely(),
});
