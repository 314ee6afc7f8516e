package live

import "syscall/js"

// Serve gives the worker of a page the function qhlab(name, input, progress), which
// returns the answer as JSON, and stays to answer.
func Serve() {
	js.Global().Set("qhlab", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return string(Ask(args[0].String(), []byte(args[1].String()), func(share float64) { args[2].Invoke(share) }))
	}))
	select {}
}
