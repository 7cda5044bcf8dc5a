#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""free_pages.py MEMORY OUT: copies the memory of a paused guest without the pages that the guest
holds free; they are holes in OUT. The library reads the memory by callbacks here, as it would from a
store that has no descriptor.

The structs are those of fcpause.h. A later library takes them as they are, since each begins with
its size.
"""
import ctypes
import errno
import mmap
import os
import sys
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_double, c_int, c_size_t, c_uint32,
                    c_uint64, c_void_p)

OK = 0  # FCP_STATUS_OK


class Error(Structure):  # struct fcp_error
    _fields_ = [("error_class", c_int), ("errnum", c_int), ("http_status", c_int),
                ("message", c_char * 1024)]


class Outcome(Structure):  # struct fcp_outcome
    _fields_ = [("status", c_int), ("ms", c_double), ("reason", c_char * 1024)]


class Range(Structure):  # struct fcp_range
    _fields_ = [("start", c_uint64), ("end", c_uint64)]


class Ranges(Structure):  # struct fcp_ranges
    _fields_ = [("items", POINTER(Range)), ("count", c_size_t), ("capacity", c_size_t)]


READ = CFUNCTYPE(c_int, c_uint64, c_void_p, c_size_t, c_void_p)
NEXT_DATA = CFUNCTYPE(c_int, c_uint64, POINTER(Range), c_void_p)


class MemorySource(Structure):  # struct fcp_memory_source
    _fields_ = [("size", c_size_t), ("arg", c_void_p), ("read", READ), ("next_data", NEXT_DATA),
                ("bytes", c_uint64), ("fd", c_int), ("reserved", c_uint32)]


class Settings(Structure):  # struct fcp_free_pages_settings
    _fields_ = [("size", c_size_t), ("memory", POINTER(MemorySource)),
                ("base", POINTER(MemorySource)), ("align_bytes", c_uint64),
                ("min_run_bytes", c_uint64), ("observer", c_void_p), ("holes", c_int),
                ("cancel_fd", c_int)]


class Result(Structure):  # struct fcp_free_pages_result
    _fields_ = [("size", c_size_t), ("outcome", Outcome), ("ranges", Ranges),
                ("range_bytes", c_uint64), ("free_bytes", c_uint64), ("guest", c_void_p)]


def free_ranges(library, memory):
    """[(start, end), ...] of a bytes-like object; [] where a gate refuses."""

    def read(offset, buffer, count, _arg):
        if offset + count > len(memory):
            return errno.ERANGE
        ctypes.memmove(buffer, memory[offset:offset + count], count)
        return 0

    source = MemorySource(size=ctypes.sizeof(MemorySource), read=READ(read), bytes=len(memory),
                          fd=-1)
    settings = Settings(size=ctypes.sizeof(Settings), memory=ctypes.pointer(source), cancel_fd=-1)
    result, error = Result(size=ctypes.sizeof(Result)), Error()
    status = library.fcp_free_pages(ctypes.byref(settings), ctypes.byref(result),
                                    ctypes.byref(error))
    try:
        if status < 0:
            raise OSError(error.errnum, error.message.decode())
        if status != OK:
            print("free_pages.py: all is copied:", result.outcome.reason.decode(), file=sys.stderr)
        ranges = result.ranges
        return [(ranges.items[i].start, ranges.items[i].end) for i in range(ranges.count)]
    finally:
        library.fcp_free_pages_result_clear(ctypes.byref(result))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: free_pages.py MEMORY OUT")
    library = ctypes.CDLL("libfcpause.so.0")
    with open(sys.argv[1], "rb") as file, open(sys.argv[2], "wb") as out:
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
            left_out = free_ranges(library, memory)
            at = 0
            for start, end in left_out + [(len(memory), len(memory))]:
                out.seek(at)
                out.write(memory[at:start])
                at = end
            out.flush()
            os.ftruncate(out.fileno(), len(memory))
            print(sum(end - start for start, end in left_out), "of", len(memory), "bytes left out")


if __name__ == "__main__":
    main()
