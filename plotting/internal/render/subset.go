package render

import "encoding/binary"

// Subset returns a TrueType font with the outlines of the given glyphs only, and
// of those they are composed of. Glyphs keep their numbers, so that nothing else
// needs to change; the emptied tables compress to almost nothing. The layout is
// that of the OpenType specification, chapters "head", "loca", "glyf", "hmtx".
func Subset(ttf []byte, ids []int) []byte {
	tables := readTables(ttf)
	loca, glyf := tables["loca"], tables["glyf"]
	long := binary.BigEndian.Uint16(tables["head"][50:]) == 1
	count := int(binary.BigEndian.Uint16(tables["maxp"][4:]))
	outline := func(id int) []byte {
		if long {
			return glyf[binary.BigEndian.Uint32(loca[4*id:]):binary.BigEndian.Uint32(loca[4*id+4:])]
		}
		return glyf[2*int(binary.BigEndian.Uint16(loca[2*id:])) : 2*int(binary.BigEndian.Uint16(loca[2*id+2:]))]
	}
	keep := closure(append([]int{0}, ids...), outline)

	var newGlyf, newLoca []byte
	for id := range count {
		newLoca = binary.BigEndian.AppendUint32(newLoca, uint32(len(newGlyf)))
		if keep[id] {
			newGlyf = append(newGlyf, withoutInstructions(outline(id))...)
			for len(newGlyf)%4 != 0 {
				newGlyf = append(newGlyf, 0)
			}
		}
	}
	newLoca = binary.BigEndian.AppendUint32(newLoca, uint32(len(newGlyf)))

	head := append([]byte(nil), tables["head"]...)
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets
	return writeTables([]table{
		{"glyf", newGlyf}, {"head", head}, {"hhea", tables["hhea"]},
		{"hmtx", usedMetrics(tables, keep)}, {"loca", newLoca}, {"maxp", tables["maxp"]},
	})
}

func readTables(ttf []byte) map[string][]byte {
	tables := make(map[string][]byte)
	n := int(binary.BigEndian.Uint16(ttf[4:]))
	for i := range n {
		entry := ttf[12+16*i:]
		offset, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		tables[string(entry[:4])] = ttf[offset : offset+length]
	}
	return tables
}

// closure adds the components of composite glyphs.
func closure(ids []int, outline func(int) []byte) map[int]bool {
	keep := make(map[int]bool)
	for len(ids) > 0 {
		id := ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		if !keep[id] {
			keep[id] = true
			ids = append(ids, components(outline(id))...)
		}
	}
	return keep
}

// Flags of a component in a composite glyph.
const (
	wordArguments  = 1 << 0
	oneScale       = 1 << 3
	moreComponents = 1 << 5
	twoScales      = 1 << 6
	fullMatrix     = 1 << 7
)

// components returns the glyphs that a composite glyph is made of.
func components(g []byte) (ids []int) {
	if len(g) < 10 || int16(binary.BigEndian.Uint16(g)) >= 0 {
		return nil
	}
	for p := 10; ; {
		flags := binary.BigEndian.Uint16(g[p:])
		ids = append(ids, int(binary.BigEndian.Uint16(g[p+2:])))
		p += 6
		if flags&wordArguments != 0 {
			p += 2
		}
		switch {
		case flags&oneScale != 0:
			p += 2
		case flags&twoScales != 0:
			p += 4
		case flags&fullMatrix != 0:
			p += 8
		}
		if flags&moreComponents == 0 {
			return ids
		}
	}
}

// withoutInstructions drops a simple glyph's hinting program, which needs tables
// that the subset does not have.
func withoutInstructions(g []byte) []byte {
	if len(g) < 10 {
		return g
	}
	contours := int(int16(binary.BigEndian.Uint16(g)))
	if contours < 0 {
		return g
	}
	at := 10 + 2*contours
	n := int(binary.BigEndian.Uint16(g[at:]))
	out := append([]byte(nil), g[:at]...)
	out = append(out, 0, 0)
	return append(out, g[at+2+n:]...)
}

// usedMetrics is the table of advances with zeros for glyphs that are not kept.
func usedMetrics(tables map[string][]byte, keep map[int]bool) []byte {
	out := make([]byte, len(tables["hmtx"]))
	n := int(binary.BigEndian.Uint16(tables["hhea"][34:]))
	for id := range keep {
		if id < n {
			copy(out[4*id:4*id+4], tables["hmtx"][4*id:])
		}
	}
	return out
}

type table struct {
	tag  string
	data []byte
}

// writeTables writes a font file; tables come in the order of their tags.
func writeTables(tables []table) []byte {
	var out []byte
	n := len(tables)
	power, log := 1, 0
	for 2*power <= n {
		power, log = 2*power, log+1
	}
	out = append(out, 0, 1, 0, 0)
	for _, v := range []int{n, 16 * power, log, 16*n - 16*power} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	offset := 12 + 16*n
	for _, t := range tables {
		out = append(out, t.tag...)
		out = binary.BigEndian.AppendUint32(out, checksum(t.data))
		out = binary.BigEndian.AppendUint32(out, uint32(offset))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		offset += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

func checksum(data []byte) (sum uint32) {
	for i := 0; i < len(data); i += 4 {
		var word [4]byte
		copy(word[:], data[i:])
		sum += binary.BigEndian.Uint32(word[:])
	}
	return sum
}
