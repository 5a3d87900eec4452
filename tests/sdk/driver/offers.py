"""What an SDK does not offer. A check that needs it is printed as lacking, not skipped silently."""

from harness import NotOffered

LACKS = {
    "go": {
        "account linking": "the Go SDK cannot link accounts",
        "renamed verification": "the Go SDK's CDI version does not move a verified address to the mapped id",
        "account info": "the Go SDK cannot find users by account info",
        "association errors": "the Go SDK panics when a user may not be added to a tenant",
        "tenants in the dashboard": "the Go SDK's dashboard only lists tenants",
        "awaited recipes": "the Go SDK has neither passkeys nor an OAuth2 provider nor SAML",
        "second factors": "the Go SDK has neither TOTP nor a second factor",
    },
}


def offers(world, feature):
    return feature not in LACKS.get(world.name, {})


def needs(world, feature):
    """Ends the check if the SDK does not have this."""
    if not offers(world, feature):
        raise NotOffered(LACKS[world.name][feature])
