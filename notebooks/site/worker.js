// Runs the Go program in a worker of live.html, after Go's own bridge.
const go = new Go();
let started;
onmessage = async ({ data }) => {
	if (data instanceof WebAssembly.Module) {
		started = WebAssembly.instantiate(data, go.importObject).then(instance => void go.run(instance));
		await started;
		return postMessage({ ready: true });
	}
	await started;
	let told = 0;
	const progress = share => {
		if (performance.now() - told < 50) return;
		told = performance.now();
		postMessage({ id: data.id, share });
	};
	postMessage({ id: data.id, reply: JSON.parse(qhlab(data.name, data.input, progress)) });
};
onunhandledrejection = ({ reason }) => { throw reason; };
