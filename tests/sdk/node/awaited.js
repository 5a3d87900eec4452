// What else the application has when AWAITED=true: recipes that sessiond does not have yet. Route:
// tests/sdk/driver/app.py.
import { Router } from "express";
import OAuth2Provider from "supertokens-node/recipe/oauth2provider/index.js";
import SAML from "supertokens-node/recipe/saml/index.js";
import WebAuthn from "supertokens-node/recipe/webauthn/index.js";

export const recipes = () => [WebAuthn.init(), OAuth2Provider.init(), SAML.init()];

const site = { relyingPartyId: "localhost", relyingPartyName: "node app", origin: "http://localhost", tenantId: "public" };

const calls = {
  webauthn: [
    () => WebAuthn.registerOptions({ ...site, email: "jane@example.org" }),
    () => WebAuthn.signInOptions(site),
    () => WebAuthn.getGeneratedOptions({ webauthnGeneratedOptionsId: "o", tenantId: "public" }),
    () => WebAuthn.listCredentials({ recipeUserId: "u" }),
  ],
  oauth2provider: [
    () => OAuth2Provider.createOAuth2Client({ clientName: "c" }),
    () => OAuth2Provider.getOAuth2Clients({}),
    () => OAuth2Provider.revokeTokensBySessionHandle("h"),
  ],
  saml: [
    () => SAML.listClients({ tenantId: "public" }),
    () => SAML.createLoginRequest({ tenantId: "public", clientId: "c", redirectURI: "r", acsURL: "a" }),
    () => SAML.getUserInfo({ tenantId: "public", accessToken: "a", clientId: "c" }),
  ],
};

export const admin = Router();

// The error that each call throws, or its result if it does not throw.
const outcome = (call) => call().then(JSON.stringify, (error) => String(error?.message ?? error));

admin.post("/awaited", async (req, res) => res.json({ told: await Promise.all(calls[req.body.recipe].map(outcome)) }));
