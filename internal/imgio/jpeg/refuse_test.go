package jpeg

import (
	"bytes"
	"errors"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// TestDamagedFiles cuts files and changes their bytes. A cut file is refused, and a
// damaged one that image/jpeg refuses for its coded data, too. None makes a panic.
func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"jpeg-restart.jpg", "jpeg-narrow.jpg", "jpeg-grey.jpg", "progressive-restart-420.jpg"} {
		whole := fixture(t, name)
		rng := rand.New(rand.NewPCG(1, 2))
		progressive := name == "progressive-restart-420.jpg" // image/jpeg refuses it as it is
		o := raster.Options{MaxPixels: 1 << 14}
		for at := range whole {
			if at%7 == 0 {
				_, _, err := imgiotest.Decode(Open, whole[:at], o)
				imgiotest.WantError(t, err)
			}
			data := bytes.Clone(whole)
			data[at] ^= 1 << rng.IntN(8)
			_, _, err := imgiotest.Decode(Open, data, o)
			imgiotest.CheckError(t, err)
			var format jpeg.FormatError
			if _, other := jpeg.Decode(bytes.NewReader(data)); err == nil && !progressive && errors.As(other, &format) {
				t.Errorf("%s, damaged at %d: is read, image/jpeg says %v", name, at, other)
			}
		}
	}
}

// TestRefusedByName refuses what is valid and not supported.
func TestRefusedByName(t *testing.T) {
	frame := bytes.Index(fixture(t, "jpeg-420.jpg"), []byte("\xff\xc0"))
	for want, change := range map[string]func(b []byte){
		"has arithmetic coding":           func(b []byte) { b[frame+1] = 0xc9 },
		"is lossless":                     func(b []byte) { b[frame+1] = 0xc3 },
		"is hierarchical":                 func(b []byte) { b[frame+1] = 0xc5 },
		"got 12 bits per sample, want 8":  func(b []byte) { b[frame+1], b[frame+4] = 0xc1, 12 },
		"got sampling 2x1 of 3x1, a frac": func(b []byte) { b[frame+11], b[frame+14] = 0x31, 0x21 },
	} {
		data := fixture(t, "jpeg-420.jpg")
		change(data)
		_, _, err := imgiotest.Decode(Open, data, raster.Options{})
		imgiotest.WantError(t, err, want)
	}
}

// TestManyScans: scans that cover a large picture in a few bytes are refused before
// they take long.
func TestManyScans(t *testing.T) {
	if _, _, err := imgiotest.Decode(Open, progressiveFile(64, 64, mostScans-2), raster.Options{}); err != nil {
		t.Errorf("%d scans: %v", mostScans, err)
	}
	for want, data := range map[string][]byte{
		"got more than 100 scans": progressiveFile(64, 64, 1500),
		"32 times --max-pixels":   progressiveFile(2000, 2000, 60),
	} {
		start := time.Now()
		_, _, err := imgiotest.Decode(Open, data, raster.Options{MaxPixels: 4_000_000})
		imgiotest.WantError(t, err, want)
		var limit *input.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("got %v, want a limit error", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v", want, took)
		}
	}
}

// TestLostScans refuses a progressive file without its last scan.
func TestLostScans(t *testing.T) {
	data := fixture(t, "progressive-444.jpg")
	last := bytes.LastIndex(data, []byte("\xff\xda"))
	cut := append(bytes.Clone(data[:last]), 0xff, eoi)
	_, _, err := imgiotest.Decode(Open, cut, raster.Options{})
	imgiotest.WantError(t, err, "the file has lost scans")
}
