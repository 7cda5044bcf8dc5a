// SPDX-License-Identifier: Apache-2.0
/*
 * The made-up guest of guest_fixture.h, grown to up to 1 TiB of RAM, all but a few MiB of it holes.
 * Behind the first 32 MiB, up to 9 GiB, all pages are in use, two by two of a file and of a
 * program, by one stretch of struct pages that is mapped again and again; behind that the memmap is
 * holes too.
 *
 *   30 MiB     struct pages of the pages above 32 MiB, 2 MiB of them
 *   64 MiB     those of the pages from 256 MiB to 2 GiB, where these are scattered
 */
#ifndef FCP_TESTS_UNIT_GUEST_LARGE_H
#define FCP_TESTS_UNIT_GUEST_LARGE_H

#include "guest_fixture.h"

#define GUEST_LARGE_PAGES (30 * FIXTURE_MIB)

/* Grows a guest of 32 MiB and four levels; its RAM has one hole, from 3 to 4 GiB. */
void guest_large_grow(struct fixture *fixture, uint64_t bytes);

/* Frees every second page from 256 MiB to 2 GiB of a large guest: each a block and a range. */
void guest_large_scatter(struct fixture *fixture);

#endif
