package live

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSpike(t *testing.T) {
	for name, in := range map[string]Input{
		"audit": {Text: "Input(2), Dense(8), ReLU(), Residual(Dense(8), ReLU()), Dense(1)"},
		"drag":  {Values: []float64{3, 1}, Points: crossed},
	} {
		data, _ := json.Marshal(in)
		begun := time.Now()
		var n int
		reply := Ask(name, data, func(share float64) { n++ })
		var a Answer
		if err := json.Unmarshal(reply, &a); err != nil {
			t.Fatal(err)
		}
		fmt.Println(name, time.Since(begun), n, len(a.SVG), a.Text, a.Error, a.Handles)
		if !strings.Contains(a.SVG, "svg") {
			continue
		}
		os.WriteFile("/tmp/sitetest/"+name+".svg", []byte(a.SVG), 0o644)
	}
}
