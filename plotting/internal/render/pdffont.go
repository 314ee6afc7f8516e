package render

import (
	"fmt"
	"hash/fnv"
	"sort"
	"unicode/utf16"

	"golang.org/x/image/font/sfnt"

	"qhlab/plotting/internal/typeset"
)

// font writes the five objects of an embedded subset of the font, whose codes
// are glyph numbers, and returns the next free object number.
func (w *pdfWriter) font(n int, used map[sfnt.GlyphIndex]rune) int {
	ids := make([]int, 0, len(used))
	for id := range used {
		ids = append(ids, int(id))
	}
	sort.Ints(ids)
	name := subsetTag(ids) + "+DejaVuSans"
	ttf := Subset(typeset.TTF(), ids)

	w.object(n, fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>", name, n+1, n+4))
	w.object(n+1, fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/CIDToGIDMap/Identity/W[%s]>>", name, n+2, widths(ids)))
	// Box, ascent, descent and cap height are DejaVu Sans' own, in thousandths
	// of an em; flag 4 says that the font has symbols.
	w.object(n+2, fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[-1021 -463 1793 1232]/ItalicAngle 0/Ascent 928/Descent -236/CapHeight 729/StemV 80/FontFile2 %d 0 R>>", name, n+3))
	w.stream(n+3, fmt.Sprintf("/Length1 %d", len(ttf)), ttf)
	w.stream(n+4, "", toUnicode(ids, used))
	return n + 5
}

// subsetTag is the six letters that mark a subset, from the glyphs it has.
func subsetTag(ids []int) string {
	h := fnv.New64a()
	for _, id := range ids {
		_, _ = h.Write([]byte{byte(id >> 8), byte(id)})
	}
	sum := h.Sum64()
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(sum%26)
		sum /= 26
	}
	return string(tag)
}

func widths(ids []int) string {
	var b []byte
	for _, id := range ids {
		b = fmt.Appendf(b, "%d[%.0f]", id, 1000*typeset.Advance(sfnt.GlyphIndex(id)))
	}
	return string(b)
}

// toUnicode is the map that lets readers search and copy the text.
func toUnicode(ids []int, used map[sfnt.GlyphIndex]rune) []byte {
	b := []byte("/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n" +
		"/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n" +
		"1 begincodespacerange <0000> <ffff> endcodespacerange\n")
	const block = 100 // entries the format allows in one block
	for len(ids) > 0 {
		n := min(block, len(ids))
		b = fmt.Appendf(b, "%d beginbfchar\n", n)
		for _, id := range ids[:n] {
			b = fmt.Appendf(b, "<%04x> <", id)
			for _, u := range utf16.Encode([]rune{used[sfnt.GlyphIndex(id)]}) {
				b = fmt.Appendf(b, "%04x", u)
			}
			b = append(b, ">\n"...)
		}
		b = append(b, "endbfchar\n"...)
		ids = ids[n:]
	}
	return append(b, "endcmap CMapName currentdict /CMap defineresource pop end end\n"...)
}
