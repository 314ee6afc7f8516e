package label

import "strings"

// Commands returns each command once, with arguments where it needs some.
func Commands() []string {
	out := []string{`\frac12`, `\frac{a}{b}`, `\text{a b}`}
	for name := range symbols().byName {
		if name == "{" || name == "}" || name == "|" {
			out = append(out, `$\`+name+"$")
			continue
		}
		out = append(out, `\`+name+" x")
	}
	for name := range accents {
		out = append(out, `\`+name+" a")
	}
	for name := range spaces {
		out = append(out, `a\`+name+" b")
	}
	for _, name := range strings.Fields(operatorNames) {
		out = append(out, `\`+name+" x")
	}
	for r := range symbols().latex {
		if r > '~' {
			out = append(out, string(r))
		}
	}
	return out
}
