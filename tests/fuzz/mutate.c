// SPDX-License-Identifier: Apache-2.0
/*
 * How libFuzzer makes an input of another: by whole changes (patch.h), since most bytes of one mean
 * nothing without the others.
 */
#include "patch.h"
#include "source.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t most, unsigned seed);

int __wrap_strcmp(const char *a, const char *b);

/* For strcmp() of the reader: the fuzzer's own, which learns from each compare, takes half of the
 * time for the keys of the notes. */
int __wrap_strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

static uint64_t state;

static uint64_t next(void)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t mixed = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

static uint64_t value(void)
{
	switch (next() % 4) {
	case 0:
		return next();
	case 1:
		return next() % 64;
	case 2:
		return UINT64_C(1) << next() % 64;
	default:
		return next() % 4096;
	}
}

static struct patch new_patch(void)
{
	return (struct patch){(uint8_t)(next() % PATCH_KINDS), (uint8_t)next(), (uint16_t)value(),
			      (uint32_t)value(), value()};
}

static void change_one(struct patch *patch)
{
	switch (next() % 6) {
	case 0:
		patch->how = (uint8_t)next();
		break;
	case 1:
		patch->index = (uint16_t)value();
		break;
	case 2:
		patch->other = (uint32_t)value();
		break;
	case 3:
		patch->value = value();
		break;
	case 4:
		patch->value += next() % 17 - 8;
		break;
	default:
		patch->index = (uint16_t)(patch->index + next() % 9 - 4);
		break;
	}
}

static void change_head(struct input *input)
{
	if (next() % 2) {
		/* The first five are quick. */
		input->base = (uint8_t)(next() % 3 ? next() % 5 : next());
		return;
	}
	/* Mostly a file, and the quicker search. */
	input->shown = (uint8_t)(next() % 3 ? 0 : next() % SOURCE_KINDS);
	if (next() % 8 == 0)
		input->shown |= SHOWN_NO_POINTER;
	if (next() % 8 == 0)
		input->shown |= SHOWN_CLASSES;
	if (next() % 64 == 0)
		input->shown |= SHOWN_CANCELLED;
}

static unsigned mutate(struct input *input, unsigned count)
{
	unsigned at = count ? (unsigned)(next() % count) : 0;

	switch (count == 0 ? 0 : next() % 8) {
	case 0:
	case 1:
		if (count < PATCHES_MAX)
			input->patches[count++] = new_patch();
		break;
	case 2:
		input->patches[at] = input->patches[--count];
		break;
	case 3:
		if (count < PATCHES_MAX) {
			input->patches[count] = input->patches[at];
			change_one(&input->patches[count++]);
		}
		break;
	case 4:
		change_head(input);
		break;
	case 5:
		LLVMFuzzerMutate((uint8_t *)&input->patches[at], sizeof(struct patch),
				 sizeof(struct patch));
		break;
	default:
		change_one(&input->patches[at]);
		break;
	}
	return count;
}

static unsigned take(struct input *input, const uint8_t *data, size_t size)
{
	size = size < sizeof(*input) ? size : sizeof(*input);
	memset(input, 0, sizeof(*input));
	memcpy(input, data, size);
	return size < INPUT_HEAD_BYTES
		       ? 0
		       : (unsigned)((size - INPUT_HEAD_BYTES) / sizeof(struct patch));
}

static size_t give(const struct input *input, unsigned count, uint8_t *out, size_t most)
{
	size_t size = INPUT_HEAD_BYTES + count * sizeof(struct patch);

	size = size < most ? size : most;
	memcpy(out, input, size);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct input input;
	unsigned count = take(&input, data, size);

	state = seed;
	do
		count = mutate(&input, count);
	while (next() % 3 == 0);
	return give(&input, count, data, most);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t most, unsigned seed)
{
	struct input input, other;
	unsigned count = take(&input, data1, size1), others = take(&other, data2, size2);

	state = seed;
	for (unsigned i = 0; i < others && count < PATCHES_MAX; i++)
		if (next() % 2)
			input.patches[count++] = other.patches[i];
	return give(&input, count, out, most);
}
