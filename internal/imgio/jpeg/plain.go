package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"slices"

	"github.com/poolctl/poolctl/internal/tensor"
)

// plainFile is an ordinary JPEG: baseline, 8 bits, grey or YCbCr with the usual
// subsampling, all components in one scan. image/jpeg decodes all other files, and
// decides about damaged ones.
type plainFile struct {
	width, height int
	parts         []component // one, or Y, Cb, Cr
	quant         [4]*[64]int32
	dc, ac        [2]*huffman
	restart       int      // MCUs between restart markers, 0 if there are none
	scan          [][]byte // the coded data, split at the restart markers
}

// component is a colour component. An MCU has v*h blocks of it.
type component struct {
	id           byte
	h, v         int
	quantiser    byte
	dcTab, acTab byte
}

const eoi = 0xd9

var errDamaged = errors.New("the coded data is damaged")

// parsePlain parses a plain file. It returns nil for other files.
func parsePlain(data []byte) *plainFile {
	p := &plainFile{}
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, n := data[at+1], 2+int(binary.BigEndian.Uint16(data[at+2:]))
		if n < 4 || at+n > len(data) {
			return nil
		}
		segment := data[at+4 : at+n]
		at += n
		ok := true
		switch {
		case marker == 0xdb:
			ok = p.readQuantisers(segment)
		case marker == 0xc0:
			ok = p.readFrame(segment)
		case marker == 0xc4:
			ok = p.readCodes(segment)
		case marker == 0xdd:
			ok = len(segment) == 2
			if ok {
				p.restart = int(binary.BigEndian.Uint16(segment))
			}
		case marker == 0xda:
			if p.readScan(segment) && p.cutScan(data[at:]) {
				return p
			}
			return nil
		case marker == 0xee && bytes.HasPrefix(segment, []byte("Adobe")):
			ok = len(segment) >= 12 && segment[11] == 1 // YCbCr
		case marker&0xf0 == 0xe0 || marker == 0xfe:
		default:
			ok = false
		}
		if !ok {
			return nil
		}
	}
	return nil
}

func (p *plainFile) readQuantisers(b []byte) bool {
	for ; len(b) >= 65 && b[0] < 4; b = b[65:] {
		table := new([64]int32)
		for i, v := range b[1:65] {
			table[zigzag[i]] = int32(v)
		}
		p.quant[b[0]] = table
	}
	return len(b) == 0
}

func (p *plainFile) readFrame(b []byte) bool {
	if p.parts != nil || len(b) < 6 || b[0] != 8 || len(b) != 6+3*int(b[5]) || b[5] != 1 && b[5] != 3 {
		return false
	}
	p.height, p.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	for b = b[6:]; len(b) > 0; b = b[3:] {
		p.parts = append(p.parts, component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), quantiser: b[2]})
	}
	first := &p.parts[0]
	if len(p.parts) == 1 {
		first.h, first.v = 1, 1 // in a scan of one component an MCU is one block
		return p.width > 0 && p.height > 0 && first.quantiser < 4
	}
	for i := range p.parts {
		if part := &p.parts[i]; part.quantiser > 3 || i > 0 && (part.h != 1 || part.v != 1) {
			return false
		}
	}
	rgb := first.id == 'R' && p.parts[1].id == 'G' && p.parts[2].id == 'B'
	return p.width > 0 && p.height > 0 && (first.h == 1 || first.h == 2) && (first.v == 1 || first.v == 2) && !rgb
}

func (p *plainFile) readCodes(b []byte) bool {
	for len(b) >= 17 {
		n := 0
		for _, count := range b[1:17] {
			n += int(count)
		}
		if b[0]&0xef > 1 || n == 0 || n > 256 || len(b) < 17+n {
			return false
		}
		symbols := b[17 : 17+n]
		code := newHuffman(b[1:17], symbols)
		if code == nil {
			return false
		}
		if b[0]>>4 == 0 {
			p.dc[b[0]&1] = code
			if slices.Max(symbols) > 15 { // bits of a coefficient
				return false
			}
		} else {
			p.ac[b[0]&1] = code
			if slices.ContainsFunc(symbols, func(s byte) bool { return s&0x0f == 0 && s != 0x00 && s != 0xf0 }) { // progressive
				return false
			}
		}
		b = b[17+n:]
	}
	return len(b) == 0
}

func (p *plainFile) readScan(b []byte) bool {
	n := len(p.parts)
	if n == 0 || len(b) != 4+2*n || int(b[0]) != n || string(b[1+2*n:]) != "\x00\x3f\x00" {
		return false
	}
	for i := range p.parts {
		part := &p.parts[i]
		tables := b[2+2*i]
		part.dcTab, part.acTab = tables>>4, tables&15
		if b[1+2*i] != part.id || part.dcTab > 1 || part.acTab > 1 || p.quant[part.quantiser] == nil ||
			p.dc[part.dcTab] == nil || p.ac[part.acTab] == nil {
			return false
		}
	}
	return true
}

// cutScan splits the coded data at its restart markers, up to the end of the image.
func (p *plainFile) cutScan(data []byte) bool {
	across, down := p.units()
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return false
		}
		at += i
		switch marker := data[at+1]; {
		case marker == 0: // a stuffed 0xff
			at += 2
		case marker == eoi:
			p.scan = append(p.scan, data[:at])
			want := 1
			if p.restart > 0 {
				want = (across*down + p.restart - 1) / p.restart
			}
			return len(p.scan) == want
		case p.restart > 0 && int(marker) == 0xd0+len(p.scan)%8:
			p.scan = append(p.scan, data[:at])
			data, at = data[at+2:], 0
		default:
			return false
		}
	}
}

// units returns the number of MCUs across and down.
func (p *plainFile) units() (across, down int) {
	w, h := 8*p.parts[0].h, 8*p.parts[0].v
	return (p.width + w - 1) / w, (p.height + h - 1) / h
}

// planes allocates planes of whole MCUs.
func (p *plainFile) planes() *image.YCbCr {
	across, down := p.units()
	first := p.parts[0]
	ratio := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422,
		{2, 2}: image.YCbCrSubsampleRatio420, {1, 2}: image.YCbCrSubsampleRatio440,
	}[[2]int{first.h, first.v}]
	img := &image.YCbCr{SubsampleRatio: ratio, Rect: image.Rect(0, 0, p.width, p.height), YStride: 8 * first.h * across, CStride: 8 * across}
	img.Y = make([]uint8, img.YStride*8*first.v*down)
	if len(p.parts) == 3 {
		img.Cb, img.Cr = make([]uint8, img.CStride*8*down), make([]uint8, img.CStride*8*down)
	}
	return img
}

// mcuRow is a decoded row of MCUs, its blocks in the order of the file.
type mcuRow struct {
	blocks []block
	err    error
}

// rowsAhead is how many rows of MCUs are decoded ahead.
const rowsAhead = 4

// decode writes the picture into t. A second goroutine decodes the Huffman codes;
// this one transforms and converts.
func (p *plainFile) decode(t *tensor.Tensor, told *tensor.Progress) error {
	across, down := p.units()
	perMCU := p.parts[0].h * p.parts[0].v
	if len(p.parts) == 3 {
		perMCU += 2
	}
	full, empty := make(chan *mcuRow, rowsAhead), make(chan *mcuRow, rowsAhead)
	for range rowsAhead {
		empty <- &mcuRow{blocks: make([]block, across*perMCU)}
	}
	defer close(empty)
	go p.readRows(full, empty)

	img := p.planes()
	convert := newConversion(tensor.Of[uint8](t), img, len(p.parts))
	done := 0
	for m := range down {
		row := <-full
		if row.err != nil {
			return row.err
		}
		p.transform(img, row.blocks, m)
		empty <- row
		ready := min((m+1)*8*p.parts[0].v, p.height)
		if m < down-1 {
			ready -= convert.lookahead()
		}
		convert.rows(done, ready)
		told.Reach(ready * p.width * len(p.parts))
		done = ready
	}
	return nil
}

// transform computes the samples of a row of MCUs.
func (p *plainFile) transform(img *image.YCbCr, blocks []block, m int) {
	across, _ := p.units()
	for x := range across {
		for i := range p.parts {
			part := &p.parts[i]
			plane, stride := img.Y, img.YStride
			switch i {
			case 1:
				plane, stride = img.Cb, img.CStride
			case 2:
				plane, stride = img.Cr, img.CStride
			}
			q := p.quant[part.quantiser]
			for v := range part.v {
				for h := range part.h {
					blocks[0].transform(plane[(m*part.v+v)*8*stride+(x*part.h+h)*8:], stride, q)
					blocks = blocks[1:]
				}
			}
		}
	}
}

// readRows decodes rows of MCUs until empty is closed.
func (p *plainFile) readRows(full chan<- *mcuRow, empty <-chan *mcuRow) {
	across, down := p.units()
	bits := &bitReader{data: p.scan[0]}
	interval, left := 0, p.restart
	var before [3]int32 // DC coefficient of the previous block, by component
	for range down {
		row, ok := <-empty
		if !ok {
			return
		}
		blocks := row.blocks
		for range across {
			if p.restart > 0 {
				if left == 0 {
					if bits.beyond() {
						break
					}
					interval++
					bits, left, before = &bitReader{data: p.scan[interval]}, p.restart, [3]int32{}
				}
				left--
			}
			for i := range p.parts {
				part := &p.parts[i]
				for range part.h * part.v {
					if !blocks[0].read(bits, p.dc[part.dcTab], p.ac[part.acTab], &before[i]) {
						row.err = errDamaged
					}
					blocks = blocks[1:]
				}
			}
		}
		if bits.beyond() {
			row.err = errDamaged
		}
		full <- row
		if row.err != nil {
			return
		}
	}
}
