// What the site's own API answers: the backend SDK, with the core behind it, knows the front door's sessions.
import supertokens from "supertokens-node";
import { withSession } from "supertokens-node/nextjs";
import Session from "supertokens-node/recipe/session";
import { appInfo } from "../../../info.js";

supertokens.init({
  framework: "custom",
  telemetry: false,
  supertokens: { connectionURI: process.env.CORE_URI },
  appInfo,
  recipeList: [Session.init()],
});

export const GET = (request) =>
  withSession(request, async (error, session) => {
    if (error) return Response.json({ error: String(error) }, { status: 500 });
    if (!session) return Response.json({ message: "unauthorised" }, { status: 401 });
    return Response.json({ userId: session.getUserId(), handle: session.getHandle() });
  });
