// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/keyctl.h>

static long add(const char *name, const char *description, const char *payload, size_t len)
{
    long key = call(SYS_add_key, "user", description, payload, len, KEY_SPEC_PROCESS_KEYRING);
    see(name, key > 0 ? 1 : key);
    return key;
}

static void ask(const char *name, int command, long key, size_t room, size_t says)
{
    char *buffer = at_end(NULL, room);
    see(name, call(SYS_keyctl, command, key, buffer, says));
    show(buffer, room);
}

static void search(const char *name, const char *type, const char *description)
{
    see(name, call(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, type, description, 0));
}

static void compute(const char *name, long prime, size_t room, struct keyctl_kdf_params *kdf)
{
    struct keyctl_dh_params keys = {.prime = (int)prime};
    char *result = at_end(NULL, room);
    keys.base = (int)add("base", "judge:base", "\3", 1);
    keys.private = (int)add("private", "judge:private", "\5", 1);
    see(name, call(SYS_keyctl, KEYCTL_DH_COMPUTE, &keys, result, room, kdf));
    show(result, room);
    if (kdf)
        show(kdf, sizeof *kdf);
}

static void diffie_hellman(void)
{
    struct keyctl_kdf_params kdf = {.hashname = "sha256", .otherinfo = "info", .otherinfolen = 4};
    char ones[192];
    memset(ones, 0xff, sizeof ones);
    long prime = add("prime", "judge:prime", ones, sizeof ones);
    compute("compute", prime, 192, NULL);
    compute("no room", prime, 191, NULL);
    compute("length", prime, 0, NULL);
    compute("hash", prime, 8, &kdf);
    kdf.hashname = "nosuchhash";
    compute("no hash", prime, 8, &kdf);
}

CASE(keyctl)
{
    long key = add("add_key", "judge:one", "secret payload", 14);
    ask("read", KEYCTL_READ, key, 20, 20);
    ask("describe", KEYCTL_DESCRIBE, key, 64, 64);
    see("update", call(SYS_keyctl, KEYCTL_UPDATE, key, "other", 5));
    ask("read", KEYCTL_READ, key, 20, 20);

    see("length", call(SYS_keyctl, KEYCTL_READ, key, NULL, 0));
    ask("two bytes", KEYCTL_READ, key, 2, 2);
    ask("four of five", KEYCTL_READ, key, 4, 5);

    search("no such key", "user", "judge:two");
    search("no end", "user", at_end("judge:one", 9));
    search("hidden type", ".user", "judge:one");
    diffie_hellman();

    see("revoke", call(SYS_keyctl, KEYCTL_REVOKE, key));
    ask("read revoked", KEYCTL_READ, key, 20, 20);
    see("no such command", call(SYS_keyctl, 999));
}
