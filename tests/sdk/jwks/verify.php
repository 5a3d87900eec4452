<?php
// Checks access tokens of the front door with what PHP brings along: no library.
declare(strict_types=1);

function decoded(string $text): string
{
    return sodium_base642bin($text, SODIUM_BASE64_VARIANT_URLSAFE_NO_PADDING);
}

/** The public key with this id (Ed25519). An application keeps the keys, and fetches them again for an unknown id. */
function public_key(string $issuer, string $id): string
{
    $keys = json_decode(file_get_contents("$issuer/jwt/jwks.json"), true, flags: JSON_THROW_ON_ERROR)['keys'];
    foreach ($keys as $key) {
        if ($key['kid'] === $id && ($key['crv'] ?? null) === 'Ed25519') {
            return decoded($key['x']);
        }
    }
    throw new RuntimeException('unknown key');
}

/** What the token says about session and person; throws if it is not a valid token of this issuer's sessions. */
function claims_of(string $token, string $issuer): array
{
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        throw new RuntimeException('not a token');
    }
    [$head, $body, $signature] = $parts;
    $header = json_decode(decoded($head), true, flags: JSON_THROW_ON_ERROR);
    if (($header['alg'] ?? null) !== 'EdDSA' || !is_string($header['kid'] ?? null)) {
        throw new RuntimeException('unknown algorithm');
    }
    if (!sodium_crypto_sign_verify_detached(decoded($signature), "$head.$body", public_key($issuer, $header['kid']))) {
        throw new RuntimeException('wrong signature');
    }
    $claims = json_decode(decoded($body), true, flags: JSON_THROW_ON_ERROR);
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= time()) {
        throw new RuntimeException('expired');
    }
    if (($claims['iss'] ?? null) !== $issuer || !isset($claims['sub'], $claims['sessionHandle'])) {
        throw new RuntimeException('not a session of this issuer');
    }
    return $claims;
}

[, $issuer, $token] = $argv;
echo json_encode(claims_of($token, $issuer));
