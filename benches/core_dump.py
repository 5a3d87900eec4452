#!/usr/bin/env python3
"""Writes an invented dump of a SuperTokens core (11.4) with N users, each with a session: `core_dump.py N > dump.sql`.

For measuring `sessiond move in`. The users are the same at every run; two in three have a password, a sixth each a
provider's account or a phone number, and one in ten is verified, has metadata, a role and an external id.
"""

import random
import sys
import uuid

BASE_MS = 1_790_000_000_000
SECRET = "1000:" + "ab" * 64 + ":" + "cd" * 64
HASH = "$2a$10$" + "a" * 53


def table(name, columns, rows):
    sys.stdout.write(f"COPY public.{name} ({', '.join(columns)}) FROM stdin;\n")
    for row in rows:
        sys.stdout.write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")
    sys.stdout.write("\\.\n\n")


def main():
    count = int(sys.argv[1])
    numbers = random.Random(1)
    ids = [str(uuid.UUID(int=numbers.getrandbits(128), version=4)) for _ in range(count)]
    joined = [BASE_MS + 1000 * place for place in range(count)]
    kinds = [("emailpassword", "emailpassword", "emailpassword", "emailpassword", "thirdparty", "passwordless")[place % 6]
             for place in range(count)]

    def of(kind):
        return (place for place in range(count) if kinds[place] == kind)

    sys.stdout.write("SET client_encoding = 'UTF8';\n")
    table("all_auth_recipe_users",
          ["app_id", "tenant_id", "user_id", "primary_or_recipe_user_id", "is_linked_or_is_a_primary_user", "recipe_id",
           "time_joined", "primary_or_recipe_user_time_joined"],
          (("public", "public", ids[i], ids[i], "f", kinds[i], joined[i], joined[i]) for i in range(count)))
    table("app_id_to_user_id",
          ["app_id", "user_id", "recipe_id", "primary_or_recipe_user_id", "is_linked_or_is_a_primary_user"],
          (("public", ids[i], kinds[i], ids[i], "f") for i in range(count)))
    table("apps", ["app_id", "created_at_time"], [("public", BASE_MS)])
    table("emailpassword_users", ["app_id", "user_id", "email", "password_hash", "time_joined"],
          (("public", ids[i], f"user{i}@example.org", HASH, joined[i]) for i in of("emailpassword")))
    table("emailverification_verified_emails", ["app_id", "user_id", "email"],
          (("public", ids[i], f"user{i}@example.org") for i in range(0, count, 10)))
    table("key_value", ["app_id", "tenant_id", "name", "value", "created_at_time"],
          [("public", "public", "refresh_token_key", SECRET, BASE_MS)])
    table("passwordless_users", ["app_id", "user_id", "email", "phone_number", "time_joined"],
          (("public", ids[i], None, f"+49301{i:07}", joined[i]) for i in of("passwordless")))
    table("roles", ["app_id", "role"], [("public", "reader")])
    table("session_info",
          ["app_id", "tenant_id", "session_handle", "user_id", "refresh_token_hash_2", "session_data", "expires_at",
           "created_at_time", "jwt_user_payload", "use_static_key"],
          (("public", "public", uuid.UUID(int=numbers.getrandbits(128), version=4), ids[i],
            f"{numbers.getrandbits(256):064x}", "{}", 4_000_000_000_000, joined[i],
            '{"st-ev":{"v":true,"t":%d},"st-role":{"v":["reader"],"t":%d}}' % (joined[i], joined[i]), "f")
           for i in range(count)))
    table("tenant_configs",
          ["connection_uri_domain", "app_id", "tenant_id", "core_config", "email_password_enabled",
           "passwordless_enabled", "third_party_enabled", "is_first_factors_null"],
          [("", "public", "public", "{}", "t", "t", "t", "f")])
    table("tenant_first_factors", ["connection_uri_domain", "app_id", "tenant_id", "factor_id"], [])
    table("tenants", ["app_id", "tenant_id", "created_at_time"], [("public", "public", BASE_MS)])
    table("thirdparty_users", ["app_id", "third_party_id", "third_party_user_id", "user_id", "email", "time_joined"],
          (("public", "google", f"g-{i}", ids[i], f"user{i}@example.org", joined[i]) for i in of("thirdparty")))
    table("user_last_active", ["app_id", "user_id", "last_active_time"],
          (("public", ids[i], joined[i]) for i in range(count)))
    table("user_metadata", ["app_id", "user_id", "user_metadata"],
          (("public", f"ext-{i}", '{"first_name":"Ada","plan":"pro"}') for i in range(0, count, 10)))
    table("user_roles", ["app_id", "tenant_id", "user_id", "role"],
          (("public", "public", f"ext-{i}", "reader") for i in range(0, count, 10)))
    table("userid_mapping", ["app_id", "supertokens_user_id", "external_user_id", "external_user_id_info"],
          (("public", ids[i], f"ext-{i}", None) for i in range(0, count, 10)))
    sys.stdout.write("-- PostgreSQL database dump complete\n")


main()
