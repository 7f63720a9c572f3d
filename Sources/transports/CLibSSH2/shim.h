#pragma once

#include <libssh2.h>

/* libssh2 itself stands on libcrypto; it is used directly only to check the signature of a host certificate. */
#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/bn.h>
