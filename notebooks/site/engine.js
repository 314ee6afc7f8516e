// Answers the page that embeds this one: it asks { id, name, input } or { cancel }, and
// hears { ready }, { failed }, { id, share } and { id, reply }.
const tell = message => parent.postMessage(message, "*"); // pages in files have no origin to name
const source = URL.createObjectURL(new Blob([document.getElementById("worker").textContent]));
let worker, module;
const start = () => {
	worker?.terminate(); // which is how a computation is cancelled
	worker = new Worker(source);
	worker.onmessage = ({ data }) => tell(data);
	worker.onerror = ({ message }) => {
		tell({ failed: message });
		start();
	};
	worker.postMessage(module);
};
addEventListener("message", ({ source, data }) => {
	if (source !== parent || !module) return;
	if (data.cancel) start();
	else worker.postMessage(data);
});
(async () => {
	const packed = Uint8Array.from(atob(document.getElementById("program").textContent), c => c.charCodeAt(0));
	const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
	module = await WebAssembly.compile(await new Response(bytes).arrayBuffer());
	start();
})().catch(error => tell({ failed: String(error) }));
