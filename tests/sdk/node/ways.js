// What else the application has, apart from PEOPLE, when WAYS=true: tenants with login methods of their own, providers,
// codes by mail and by text message, TOTP as second factor, the dashboard. The routes: tests/sdk/driver/app.py.
import { Router } from "express";
import supertokens from "supertokens-node";
import Dashboard from "supertokens-node/recipe/dashboard/index.js";
import MultiFactorAuth from "supertokens-node/recipe/multifactorauth/index.js";
import Multitenancy from "supertokens-node/recipe/multitenancy/index.js";
import Passwordless from "supertokens-node/recipe/passwordless/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import ThirdParty from "supertokens-node/recipe/thirdparty/index.js";
import TOTP from "supertokens-node/recipe/totp/index.js";

const sites = process.env.SITES;
const SITE = /^([a-z0-9-]+)\.shop\.example$/;
const siteOf = (host) => SITE.exec((host ?? "").split(":")[0])?.[1];

// With SITES=own the host name determines the tenant, not the page.
const multitenancy = () =>
  Multitenancy.init({
    getAllowedDomainsForTenantId: async (tenantId) => [`${tenantId}.shop.example`],
    override: {
      functions: (original) => ({
        ...original,
        getTenantId: (input) => {
          const host = supertokens.getRequestFromUserContext(input.userContext)?.getHeaderValue("host");
          return (sites === "own" && siteOf(host)) || original.getTenantId(input);
        },
      }),
    },
  });

// Nothing is sent: messages that would be sent are kept and can be requested. The SDK passes on the address as typed.
const messages = [];
const keep = async ({ email, phoneNumber, userInputCode, urlWithLinkCode }) => {
  messages.push({ to: (email ?? phoneNumber).toLowerCase(), code: userInputCode, link: urlWithLinkCode });
};

export const recipes = () => [
  multitenancy(),
  ThirdParty.init(),
  Passwordless.init({
    contactMethod: "EMAIL_OR_PHONE",
    flowType: "USER_INPUT_CODE_AND_MAGIC_LINK",
    emailDelivery: { override: (original) => ({ ...original, sendEmail: keep }) },
    smsDelivery: { override: (original) => ({ ...original, sendSms: keep }) },
  }),
  MultiFactorAuth.init(),
  TOTP.init(),
  Dashboard.init(),
];

/** What a user does. */
export const routes = Router();

if (sites === "own") {
  const hasAccess = (req, res, next) =>
    verifySession({
      overrideGlobalClaimValidators: (validators) => [
        ...validators,
        Multitenancy.AllowedDomainsClaim.validators.includes(req.hostname),
      ],
    })(req, res, next);
  routes.get("/site", hasAccess, (req, res) => res.json({ site: siteOf(req.hostname), userId: req.session.getUserId() }));
} else {
  routes.get("/site", verifySession(), async (req, res) => {
    const [site, userId] = [siteOf(req.hostname), req.session.getUserId()];
    const { tenantIds } = await supertokens.getUser(userId);
    res.status(tenantIds.includes(site) ? 200 : 403).json({ site, userId });
  });
}

/** What the application's own code does, without a session. */
export const admin = Router();

const on = (path, act) => admin.post(path, async (req, res) => res.json(await act(req.body)));
const user = (id) => supertokens.convertToRecipeUserId(id);

on("/messages", ({ to }) => ({ messages: messages.filter((message) => message.to === to) }));
on("/tenant/methods", ({ tenantId, ...config }) => Multitenancy.createOrUpdateTenant(tenantId, config));
on("/tenant/provider", ({ tenantId, config }) => Multitenancy.createOrUpdateThirdPartyConfig(tenantId, config));
on("/tenant/user", ({ tenantId, userId }) => Multitenancy.associateUserToTenant(tenantId, user(userId)));
on("/tenant/user/remove", ({ tenantId, userId }) => Multitenancy.disassociateUserFromTenant(tenantId, user(userId)));
