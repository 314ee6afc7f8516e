// Live figures: an element with data-live becomes one when it comes near the window.
const engine = {
	frame: null, waiting: new Map(), last: 0, ready: null,

	// start loads the program once, in a frame that alone may run WebAssembly.
	start() {
		return this.ready ??= new Promise((resolve, reject) => {
			addEventListener("message", ({ source, data }) => {
				if (source !== this.frame.contentWindow) return;
				if (data.ready) resolve();
				else if (data.failed) {
					reject(new Error(data.failed));
					for (const w of this.waiting.values()) w.reject(new Error(data.failed));
					this.waiting.clear();
				} else if (data.reply) {
					this.waiting.get(data.id)?.resolve(data.reply);
					this.waiting.delete(data.id);
				} else this.waiting.get(data.id)?.progress?.(data.share);
			});
			this.frame = document.createElement("iframe");
			this.frame.src = "live.html";
			this.frame.title = "the program of the live figures";
			this.frame.hidden = true;
			document.body.append(this.frame);
			setTimeout(() => reject(new Error("the program did not start")), 60000);
		});
	},

	async ask(name, input, progress) {
		await this.start();
		const id = ++this.last;
		return new Promise((resolve, reject) => {
			this.waiting.set(id, { resolve, reject, progress });
			this.frame.contentWindow.postMessage({ id, name, input: input ? JSON.stringify(input) : "" }, "*");
		});
	},

	cancel() {
		for (const w of this.waiting.values()) w.resolve({ cancelled: true });
		this.waiting.clear();
		this.frame.contentWindow.postMessage({ cancel: true }, "*");
	},
};

const make = (tag, properties, ...children) => {
	const e = Object.assign(document.createElement(tag), properties);
	e.append(...children);
	return e;
};

// set writes x_1 and log_{10} with what they have below the line.
const set = text => text.split(/_(?:\{(.*?)\}|(.))/).map((part, i) => i % 3 === 0 ? part : part === undefined ? "" : make("sub", {}, part));

class LiveFigure {
	constructor(place) {
		this.place = place;
		this.name = place.dataset.live;
		this.picture = place.querySelector("img");
		this.text = place.querySelector("pre");
		this.input = { Values: [], Text: "", Points: [] };
		this.status = make("span", { role: "status" });
		this.bar = make("progress", { max: 1, hidden: true, ariaLabel: "computed so far" });
		this.stop = make("button", { type: "button", textContent: "Cancel", hidden: true, onclick: () => engine.cancel() });
		this.panel = make("div", { className: "controls" });
		place.prepend(this.panel, make("p", { className: "status" }, this.bar, this.stop, this.status));
	}

	async begin() {
		this.status.textContent = "Loading the program (4 MB) …";
		try {
			const controls = await engine.ask(this.name);
			controls.forEach((c, i) => c.Points ? this.points(c) : c.Slider ? this.slider(c, i) : this.field(c, i));
			await this.draw();
		} catch (error) {
			this.status.textContent = `This figure stays as it is: ${error.message}. Some browsers run it only from a server, such as that of: go run ./notebooks html -serve`;
		}
	}

	slider(c, i) {
		const { Min: min, Max: max, Step: step, Value: value } = c.Slider;
		const id = `${this.name}-${i}`, k = this.input.Values.push(value) - 1;
		const decimals = (String(step).split(".")[1] ?? "").length;
		const shown = make("output", {}, value.toFixed(decimals));
		const range = make("input", { type: "range", id, min, max, step, value });
		range.setAttribute("value", value);
		shown.htmlFor = id;
		range.oninput = () => {
			this.input.Values[k] = Number(range.value);
			shown.textContent = Number(range.value).toFixed(decimals);
			if (!c.Deferred) this.draw();
		};
		if (c.Deferred) range.onchange = () => this.draw();
		this.panel.append(make("label", { htmlFor: id }, ...set(c.Label)), range, shown);
	}

	field(c, i) {
		const id = `${this.name}-${i}`;
		const area = make("textarea", { id, value: c.Text, rows: c.Text.split("\n").length + 2, spellcheck: false });
		this.input.Text = c.Text;
		area.oninput = () => {
			this.input.Text = area.value;
			this.draw();
		};
		this.panel.append(make("label", { htmlFor: id }, c.Label), area);
	}

	// points lays a handle over every point, which a pointer or the arrow keys move.
	points(c) {
		this.input.Points = c.Points;
		const sheet = make("div", { className: "sheet" });
		this.picture.replaceWith(sheet);
		sheet.append(this.picture);
		this.handles = c.Points.map((p, i) => {
			const handle = make("button", { type: "button", className: "handle" });
			const move = (x, y) => {
				[p.X, p.Y] = [x, y].map(v => Math.min(Math.max(v, -c.Reach), c.Reach));
				this.arrange();
			};
			handle.onpointerdown = e => handle.setPointerCapture(e.pointerId);
			handle.onpointermove = e => {
				if (!handle.hasPointerCapture(e.pointerId) || !this.corners) return;
				const box = sheet.getBoundingClientRect(), [a, b] = this.corners;
				const at = (share, from, to) => (share - from) / (to - from) * 2 * c.Reach - c.Reach;
				move(at((e.clientX - box.left) / box.width, a.X, b.X), at((box.bottom - e.clientY) / box.height, a.Y, b.Y));
			};
			handle.onlostpointercapture = () => this.draw();
			handle.onkeydown = e => {
				const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key] ?? [0, 0];
				if (!dx && !dy) return;
				e.preventDefault();
				move(p.X + dx * c.Reach / 20, p.Y + dy * c.Reach / 20);
				this.draw();
			};
			this.reach = c.Reach;
			return handle;
		});
		sheet.append(...this.handles);
		this.panel.append(make("p", {}, "Drag the points, or choose one with Tab and move it with the arrow keys."));
	}

	arrange() {
		if (!this.handles || !this.corners) return;
		const [a, b] = this.corners;
		this.input.Points.forEach((p, i) => {
			const share = v => (v + this.reach) / (2 * this.reach);
			this.handles[i].style.left = `${100 * (a.X + share(p.X) * (b.X - a.X))}%`;
			this.handles[i].style.bottom = `${100 * (a.Y + share(p.Y) * (b.Y - a.Y))}%`;
			this.handles[i].ariaLabel = `point ${i + 1} of class ${p.Class}, at ${p.X.toFixed(2)}, ${p.Y.toFixed(2)}`;
		});
	}

	// draw shows the figure for the input. While one is computed, the last that was asked for waits.
	async draw() {
		this.again = this.busy;
		if (this.busy) return;
		this.busy = true;
		const slow = setTimeout(() => {
			this.bar.removeAttribute("value");
			this.bar.hidden = this.stop.hidden = false;
		}, 300);
		this.begun = performance.now();
		try {
			this.show(await engine.ask(this.name, this.input, share => (this.bar.value = share)));
		} catch (error) {
			this.status.textContent = error.message;
		}
		clearTimeout(slow);
		this.bar.hidden = this.stop.hidden = true;
		this.busy = false;
		if (this.again) this.draw();
	}

	show(answer) {
		if (answer.cancelled) {
			this.status.textContent = "Cancelled.";
			return;
		}
		this.status.textContent = answer.Error ?? `Live: computed here in ${Math.round(performance.now() - this.begun)} ms.`;
		this.place.classList.toggle("failed", "Error" in answer);
		if (answer.SVG && this.picture) {
			this.picture.src = "data:image/svg+xml," + encodeURIComponent(answer.SVG);
			this.picture.alt = answer.Alt;
		}
		if (answer.Text && this.text) this.text.textContent = answer.Text;
		this.corners = answer.Handles ?? this.corners;
		this.arrange();
		this.place.dataset.drawn = Number(this.place.dataset.drawn ?? 0) + 1;
	}
}

const near = new IntersectionObserver(entries => {
	for (const { isIntersecting, target } of entries) {
		if (!isIntersecting) continue;
		near.unobserve(target);
		new LiveFigure(target).begin();
	}
}, { rootMargin: "200px" });
for (const place of document.querySelectorAll("[data-live]")) near.observe(place);
