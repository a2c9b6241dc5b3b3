//go:build !race

package main

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// claims change valid files so that their headers claim more than any limit
// allows.
var claims = map[string]struct {
	from   string
	change func(b []byte)
}{
	"png": {"png/testdata/grey8.png", func(b []byte) {
		binary.BigEndian.PutUint32(b[16:], 100_000)
		binary.BigEndian.PutUint32(b[20:], 100_000)
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	}},
	"side.png": {"png/testdata/grey8.png", func(b []byte) {
		binary.BigEndian.PutUint32(b[16:], 1)
		binary.BigEndian.PutUint32(b[20:], 65_536)
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	}},
	"bmp": {"bmp/testdata/bmp-24.bmp", func(b []byte) {
		binary.LittleEndian.PutUint32(b[18:], 1<<31-1)
		binary.LittleEndian.PutUint32(b[22:], 1<<31-1)
	}},
	"gif": {"gif/testdata/opaque.gif", func(b []byte) {
		for i := 6; i < 10; i++ {
			b[i] = 255
		}
	}},
	"jpg": {"jpeg/testdata/jpeg-444.jpg", func(b []byte) {
		for at := 2; ; at += 2 + int(binary.BigEndian.Uint16(b[at+2:])) {
			if b[at+1] == 0xc0 { // height and width
				copy(b[at+5:], "\xff\xff\xff\xff")
				return
			}
		}
	}},
	"tif": {"tiff/testdata/tiff-grey16.tif", func(b []byte) {
		entries := b[binary.LittleEndian.Uint32(b[4:])+2:]
		for i := range 2 { // width and length come first, as LONG
			binary.LittleEndian.PutUint16(entries[12*i+2:], 4)
			binary.LittleEndian.PutUint32(entries[12*i+8:], 200_000)
		}
	}},
	"webp": {"webp/testdata/lossless-rgb.webp", func(b []byte) {
		binary.LittleEndian.PutUint32(b[21:], 1<<28-1) // 14 bits of width - 1, 14 of height - 1
	}},
}

// TestRefusalsAreCheap: a limit refuses its file within half a second and 100
// MiB, and nothing is written.
func TestRefusalsAreCheap(t *testing.T) {
	folder := t.TempDir()
	for name, c := range claims {
		data, err := os.ReadFile(filepath.Join("../../internal/imgio", c.from))
		if err != nil {
			t.Fatal(err)
		}
		c.change(data)
		if err := os.WriteFile(filepath.Join(folder, "claims."+name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// An array of 1 TiB, nearly all of it a hole.
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 524288, 524288, 1), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	large, err := os.Create(filepath.Join(folder, "large.npy"))
	if err == nil {
		_, err = large.WriteString("\x93NUMPY\x01\x00\x76\x00" + header)
	}
	if err == nil {
		err = large.Truncate(128 + 1<<40)
	}
	if err == nil {
		err = large.Close()
	}
	if err != nil {
		t.Fatal(err)
	}

	const halved, pool = " --type max --window 2", "pool "
	commands := []string{
		pool + "large.npy -o y.npy" + halved,
		pool + "large.npy -o y.png" + halved,
		"conv2d large.npy --filter box:3 -o y.npy",
		"grad pool large.npy -o y.npy" + halved,
		"inspect large.npy",
		"compare large.npy large.npy",
		pool + "small.npy -o y.npy --max-memory 1GiB --type max --output-size 20000,20000",
		"unpool small.npy --argmax at.npy --output-shape 1,1000000,1000000,1 -o y.npy",
		"conv2d-transpose small.npy --filter box:2 --strides 500000 -o y.npy",
		"bench pool --shape 64,4096,4096,64" + halved,
	}
	writeArrays(t, folder)
	for name := range claims {
		commands = append(commands, pool+"claims."+name+" -o y.png"+halved, "inspect claims."+name)
	}
	for _, command := range commands {
		m, most := measure(t, folder, strings.Fields(command)...), within(500*time.Millisecond)
		if m.Code != 5 || m.Took >= most || m.Peak >= 100<<20 {
			t.Errorf("%s: exit code %d after %v with %d MiB, want 5 within %v and 100 MiB: %s", command, m.Code, m.Took, m.Peak>>20, most, m.Stderr)
		}
		if strings.Count(m.Stderr, "poolctl: error: ") != 1 {
			t.Errorf("%s: got %q, want one error", command, m.Stderr)
		}
	}
	for _, name := range []string{"y.npy", "y.png"} {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// writeArrays writes a small array and positions that fit it.
func writeArrays(t *testing.T, folder string) {
	t.Helper()
	header := func(dtype string) string {
		text := "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (1, 2, 2, 1), }"
		return "\x93NUMPY\x01\x00\x76\x00" + text + strings.Repeat(" ", 117-len(text)) + "\n"
	}
	for name, text := range map[string]string{
		"small.npy": header("<f4") + strings.Repeat("\x00", 16),
		"at.npy":    header("<i8") + strings.Repeat("\x00", 32),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
