// SPDX-License-Identifier: Apache-2.0

// free_pages MEMORY OUT [ALIGN]: copies the memory of a paused guest without the pages that the
// guest holds free; they are holes in OUT. With ALIGN only whole blocks of so many bytes are left
// out, as a store with larger blocks needs it.
package main

/*
#cgo pkg-config: libfcpause
#include <fcpause.h>

// The settings point to each other, and Go must not hand such memory to C: they are made here.
static int free_pages(int fd, uint64_t align_bytes, struct fcp_free_pages_result *result,
		      struct fcp_error *err)
{
	struct fcp_memory_source memory = FCP_MEMORY_SOURCE_INIT;
	struct fcp_free_pages_settings settings = FCP_FREE_PAGES_SETTINGS_INIT;
	const struct fcp_free_pages_result unset = FCP_FREE_PAGES_RESULT_INIT;

	memory.fd = fd;
	settings.memory = &memory;
	settings.align_bytes = align_bytes;
	*result = unset;
	return fcp_free_pages(&settings, result, err);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unsafe"
)

type byteRange struct{ start, end int64 }

// freeRanges returns the ranges in ascending order, and none where a gate refuses.
func freeRanges(memory *os.File, alignBytes uint64) ([]byteRange, error) {
	var result C.struct_fcp_free_pages_result
	var failure C.struct_fcp_error

	status := C.free_pages(C.int(memory.Fd()), C.uint64_t(alignBytes), &result, &failure)
	defer C.fcp_free_pages_result_clear(&result)
	if status < 0 {
		return nil, errors.New(C.GoString(&failure.message[0]))
	}
	if status != C.FCP_STATUS_OK {
		fmt.Fprintln(os.Stderr, "free_pages: all is copied:",
			C.GoString(&result.outcome.reason[0]))
	}
	ranges := make([]byteRange, 0, int(result.ranges.count))
	for _, item := range unsafe.Slice(result.ranges.items, int(result.ranges.count)) {
		ranges = append(ranges, byteRange{int64(item.start), int64(item.end)})
	}
	return ranges, nil
}

func copyRest(out *os.File, memory *os.File, bytes int64, leftOut []byteRange) error {
	at := int64(0)
	for _, next := range append(leftOut, byteRange{bytes, bytes}) {
		part := io.NewSectionReader(memory, at, next.start-at)
		if _, err := io.Copy(io.NewOffsetWriter(out, at), part); err != nil {
			return err
		}
		at = next.end
	}
	return out.Truncate(bytes)
}

func run(memoryPath, outPath string, alignBytes uint64) error {
	memory, err := os.Open(memoryPath)
	if err != nil {
		return err
	}
	defer memory.Close()
	bytes, err := memory.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	leftOut, err := freeRanges(memory, alignBytes)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(outPath, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0600)
	if err != nil {
		return err
	}
	if err := copyRest(out, memory, bytes, leftOut); err != nil {
		out.Close()
		return err
	}
	total := int64(0)
	for _, part := range leftOut {
		total += part.end - part.start
	}
	fmt.Println(total, "of", bytes, "bytes left out")
	return out.Close()
}

func main() {
	alignBytes, err := uint64(0), error(nil)
	if len(os.Args) == 4 {
		alignBytes, err = strconv.ParseUint(os.Args[3], 10, 64)
	}
	if err != nil || len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: free_pages MEMORY OUT [ALIGN]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], alignBytes); err != nil {
		fmt.Fprintln(os.Stderr, "free_pages:", err)
		os.Exit(1)
	}
}
