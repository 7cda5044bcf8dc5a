// SPDX-License-Identifier: Apache-2.0

// export_memory: an orchestrator that writes a paused VM's memory itself, and has fcpause say what it
// need not write. Of a VM that was restored from a memory file it copies the pages that have changed
// since and are in use; of one that was booted, those in use that are not zeros. The rest is holes in
// OUT, which mean what the printed line says: the base's bytes, or zeros. Free pages are dead: no
// guest reads them before it has written them.
//
//	export_memory -api-sock fc.sock -pid 20400 -out diff.mem [-memory FILE] [-align 2097152]
//
// The guest's memory is read where fcpause says that the process has it. An orchestrator that gave
// Firecracker a memfd can name that: -memory /proc/20400/fd/12.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
)

type options struct {
	fcpause, apiSock, memory, out string
	pid                           int
	align                         int64
}

// report is what fcpause prints of a list; further members may come.
type report struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
	// [start, length, "free"], in bytes of the memory file that Firecracker would write.
	List []found `json:"list"`
	// [offset in that file, length, address in the process]
	Regions [][3]int64 `json:"regions"`
	MemFile *struct {
		Bytes int64 `json:"logical_bytes"`
	} `json:"mem_file"`
}

type found struct {
	start, length int64
	kind          string
}

func (f *found) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&f.start, &f.length, &f.kind})
}

func (r *report) bytes(kind string) (sum int64) {
	for _, f := range r.List {
		if f.kind == kind {
			sum += f.length
		}
	}
	return sum
}

// list asks for the ranges of the paused VM. A reason says what could not be found: then no page is
// left out for it. "unsupported" is an answer, too.
func list(o options, find string) (*report, error) {
	command := exec.Command(o.fcpause, "madvise-ranges", "--api-sock", o.apiSock, "--pid", fmt.Sprint(o.pid),
		"--list", "--find", find, "--align", fmt.Sprint(o.align), "--json", "--quiet", "--no-settings")
	text, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	var r report
	if json.Unmarshal(text, &r) != nil {
		return nil, fmt.Errorf("%s: no JSON, %w", o.fcpause, err)
	}
	if r.Status == "failed" {
		return nil, fmt.Errorf("%s: %s", o.fcpause, r.Reason)
	}
	if r.Status == "partial" {
		fmt.Fprintln(os.Stderr, "export_memory:", r.Reason)
	}
	return &r, nil
}

// plan is what is copied, and how much an exporter would copy that does not ask the guest's allocator.
type plan struct {
	size, without int64
	copied        []found
	regions       [][3]int64
	holes         string
}

// makePlan asks for what need not be copied, and takes the rest: so a block of -align bytes is copied
// whole where any page of it is needed. A VM that was booted has no base; there it is pages of zeros
// that need not be copied.
func makePlan(o options) (plan, error) {
	known, holes := "base", "the base's bytes"
	before, err := list(o, known)
	if err == nil && before.Status == "unsupported" {
		known, holes = "zero", "zeros"
		before, err = list(o, known)
	}
	if err != nil {
		return plan{}, err
	}
	r, err := list(o, "free,"+known)
	if err != nil {
		return plan{}, err
	}
	if before.MemFile == nil || r.MemFile == nil {
		return plan{}, errors.New(r.Reason)
	}
	return plan{r.MemFile.Bytes, r.MemFile.Bytes - before.bytes(known), rest(r), r.Regions, holes}, nil
}

// rest returns what is not in the list, which is in ascending order.
func rest(r *report) (others []found) {
	var at int64
	for _, f := range append(r.List, found{start: r.MemFile.Bytes}) {
		if f.start > at {
			others = append(others, found{start: at, length: f.start - at})
		}
		at = f.start + f.length
	}
	return others
}

// processMemory reads the guest's memory in Firecracker's process, by offsets of the memory file.
type processMemory struct {
	file    *os.File
	regions [][3]int64
}

func (m processMemory) ReadAt(p []byte, offset int64) (n int, err error) {
	for _, r := range m.regions {
		at := offset + int64(n) - r[0]
		if n == len(p) || at < 0 || at >= r[1] {
			continue
		}
		end := n + int(r[1]-at)
		if end > len(p) {
			end = len(p)
		}
		got, err := m.file.ReadAt(p[n:end], r[2]+at)
		n += got
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// guestMemory opens the guest's memory; offset 0 of the reader is the memory file's.
func guestMemory(o options, p plan) (io.ReaderAt, error) {
	if o.memory != "" {
		return os.Open(o.memory)
	}
	if len(p.regions) == 0 {
		return nil, errors.New("fcpause does not know where the guest's memory is: name it with -memory")
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", o.pid))
	if err != nil {
		return nil, err
	}
	return processMemory{memory, p.regions}, nil
}

// export copies what is planned; the rest of the file is holes.
func export(p plan, memory io.ReaderAt, out string) (copied int64, err error) {
	file, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(p.size); err != nil {
		return 0, err
	}
	for _, f := range p.copied {
		n, err := io.Copy(io.NewOffsetWriter(file, f.start), io.NewSectionReader(memory, f.start, f.length))
		copied += n
		if err == nil && n != f.length {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return copied, fmt.Errorf("at byte %d: %w", f.start+n, err)
		}
	}
	return copied, file.Sync()
}

func run(o options) error {
	p, err := makePlan(o)
	if err != nil {
		return err
	}
	memory, err := guestMemory(o, p)
	if err != nil {
		return err
	}
	copied, err := export(p, memory, o.out)
	if err != nil {
		return err
	}
	fmt.Printf("%d bytes would have been copied, %d were; a hole is %s\n", p.without, copied, p.holes)
	return nil
}

func main() {
	var o options
	flag.StringVar(&o.fcpause, "fcpause", "fcpause", "the program")
	flag.StringVar(&o.apiSock, "api-sock", "", "Firecracker's API socket")
	flag.IntVar(&o.pid, "pid", 0, "Firecracker's process")
	flag.StringVar(&o.memory, "memory", "", "the guest's memory, where it is a file or memfd")
	flag.StringVar(&o.out, "out", "", "the file to write; it must not be there")
	flag.Int64Var(&o.align, "align", 4096, "the size of a block that is copied whole")
	flag.Parse()
	if o.apiSock == "" || o.pid == 0 || o.out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "export_memory:", err)
		os.Exit(1)
	}
}
