package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// load reads a tensor; the names stdout and stderr are those of testscript.
func load(ts *testscript.TestScript, name string) *tensor.Tensor {
	options := imgio.Options{Raw: tensor.BFloat16}
	if name == "stdout" {
		options.Stdin, name = strings.NewReader(ts.ReadFile(name)), "-"
	} else {
		name = ts.MkAbs(name)
	}
	source, err := imgio.Open(name, options)
	ts.Check(err)
	defer source.Close()
	t, err := source.Read()
	ts.Check(err)
	return t
}

// npy FILE TYPE SHAPE [VALUE…] checks an array's type, its shape (2x3; - for
// rank 0) and, if they are given, its values as Go prints them.
func npy(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "npy FILE TYPE SHAPE [VALUE...]")
	t := load(ts, args[0])
	if got := t.DType.String() + " " + tensor.Join(t.Shape, "x"); got != args[1]+" "+args[2] {
		ts.Fatalf("%s: got %s, want %s %s", args[0], got, args[1], args[2])
	}
	checkValues(ts, args[0], t, 0, args[3:])
}

// checkValues compares values from element first on with words.
func checkValues(ts *testscript.TestScript, name string, t *tensor.Tensor, first int, words []string) {
	for i, want := range words {
		var got string
		switch list := t.Data.(type) {
		case []uint64:
			got = strconv.FormatUint(list[first+i], 10)
		case []int64:
			got = strconv.FormatInt(list[first+i], 10)
		default:
			format, bits := byte('g'), 64
			if t.DType == tensor.Float32 {
				bits = 32
			}
			if t.DType.IsInteger() {
				format = 'f'
			}
			got = strconv.FormatFloat(t.At(first+i), format, -1, bits)
		}
		if got != want {
			ts.Fatalf("%s: element %d: got %s, want %s", name, first+i, got, want)
		}
	}
}

// array FILE TYPE SHAPE VALUE… writes an .npy file; a single word ramp counts
// up from 0, a single value fills the array. The header is written here, not
// by the program's own writer.
func array(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 4, "array FILE TYPE SHAPE VALUE...")
	var shape []int
	n := 1
	for word := range strings.SplitSeq(args[2], "x") {
		v, err := strconv.Atoi(word)
		ts.Check(err)
		shape, n = append(shape, v), n*v
	}
	words := args[3:]
	if len(words) != 1 && len(words) != n {
		ts.Fatalf("got %d values, want 1 or %d", len(words), n)
	}
	var data bytes.Buffer
	for i := range n {
		word := words[i%len(words)]
		if word == "ramp" {
			word = strconv.Itoa(i)
		}
		ts.Check(binary.Write(&data, binary.LittleEndian, element(ts, args[1], word)))
	}
	writeArray(ts, args[0], descriptions[args[1]], fmt.Sprintf("(%s,)", tensor.Join(shape, ",")), data.Bytes())
}

// claim FILE TYPE SHAPE writes an .npy file whose header claims that shape (any
// text) for eight bytes of data.
func claim(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "claim FILE TYPE SHAPE")
	description, known := descriptions[args[1]]
	if !known {
		description = args[1]
	}
	writeArray(ts, args[0], description, args[2], make([]byte, 8))
}

func writeArray(ts *testscript.TestScript, name, description, shape string, data []byte) {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", description, shape)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	file = append(append(file, header...), data...)
	ts.Check(os.WriteFile(ts.MkAbs(name), file, 0o666))
}

var descriptions = map[string]string{
	"bool": "|b1", "uint8": "|u1", "int8": "|i1", "uint16": "<u2", "int16": "<i2", "uint32": "<u4", "int32": "<i4",
	"uint64": "<u8", "int64": "<i8", "bfloat16": "<V2", "float16": "<f2", "float32": "<f4", "float64": "<f8", "complex64": "<c8",
}

// element parses a value of an array.
func element(ts *testscript.TestScript, dtype, word string) any {
	f, err := strconv.ParseFloat(word, 64)
	ts.Check(err)
	i, _ := strconv.ParseInt(word, 10, 64)
	u, _ := strconv.ParseUint(word, 10, 64)
	switch dtype {
	case "bool", "uint8":
		return uint8(u)
	case "int8":
		return int8(i)
	case "uint16":
		return uint16(u)
	case "int16":
		return int16(i)
	case "uint32":
		return uint32(u)
	case "int32":
		return int32(i)
	case "uint64":
		return u
	case "int64":
		return i
	case "bfloat16": // of numbers that it holds
		return uint16(math.Float32bits(float32(f)) >> 16)
	case "float16":
		return half(ts, f)
	case "float32":
		return float32(f)
	case "complex64":
		return complex64(complex(f, 0))
	default:
		return f
	}
}

// half returns the float16 bits of a whole number below 2048. Scripts need no
// others.
func half(ts *testscript.TestScript, v float64) uint16 {
	if v == 0 {
		return 0
	}
	sign := uint16(0)
	if v < 0 {
		sign, v = 1<<15, -v
	}
	if v != float64(int(v)) || v >= 2048 {
		ts.Fatalf("float16: got %g, want a whole number below 2048", v)
	}
	exponent := 0
	for v >= 2 {
		v, exponent = v/2, exponent+1
	}
	return sign | uint16(exponent+15)<<10 | uint16((v-1)*1024)
}

// pixels FILE FORMAT WIDTHxHEIGHTxCHANNELS DEPTH [Y,X=V,V…]… checks a picture's
// size and single pixels.
func pixels(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 4, "pixels FILE FORMAT WxHxC DEPTH [Y,X=V,...]...")
	source, err := imgio.Open(ts.MkAbs(args[0]), imgio.Options{})
	ts.Check(err)
	defer source.Close()
	t, err := source.Read()
	ts.Check(err)
	shape := t.Shape
	got := fmt.Sprintf("%s %dx%dx%d %d", source.Info.Format, shape[2], shape[1], shape[3], source.Info.Depth)
	if want := strings.Join(args[1:4], " "); got != want {
		ts.Fatalf("%s: got %s, want %s", args[0], got, want)
	}
	for _, word := range args[4:] {
		var y, x int
		at, values, ok := strings.Cut(word, "=")
		if _, err := fmt.Sscanf(at, "%d,%d", &y, &x); err != nil || !ok {
			ts.Fatalf("%s: want Y,X=V,...", word)
		}
		checkValues(ts, args[0]+" at "+at, t, (y*shape[2]+x)*shape[3], strings.Split(values, ","))
	}
}

// hardlink OLD NEW gives a file another name.
func hardlink(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, "hardlink OLD NEW")
	ts.Check(os.Link(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

// cut FILE LENGTH NEW copies the first bytes of a file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "cut FILE LENGTH NEW")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(ts.ReadFile(args[0])[:n]), 0o666))
}

// orient FILE VALUE NEW copies a JPEG and adds an EXIF orientation.
func orient(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "orient FILE VALUE NEW")
	value, err := strconv.Atoi(args[1])
	ts.Check(err)
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(value)) + "\x00\x00\x00\x00\x00\x00"
	segment := "\xff\xe1" + string([]byte{0, byte(len(exif) + 2)}) + exif
	jpeg := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(jpeg[:2]+segment+jpeg[2:]), 0o666))
}

// png16 FILE WIDTH VALUE… writes a grey picture of 16 bits.
func png16(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "png16 FILE WIDTH VALUE...")
	width, err := strconv.Atoi(args[1])
	ts.Check(err)
	picture := image.NewGray16(image.Rect(0, 0, width, len(args[2:])/width))
	for i, word := range args[2:] {
		v, err := strconv.ParseUint(word, 10, 16)
		ts.Check(err)
		picture.SetGray16(i%width, i/width, color.Gray16{Y: uint16(v)})
	}
	var file bytes.Buffer
	ts.Check(png.Encode(&file, picture))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o666))
}
