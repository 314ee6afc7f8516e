const remembered = {
	get: name => { try { return localStorage.getItem(name); } catch { return null; } },
	set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* a page in a file may not */ } },
};

for (const block of document.querySelectorAll(".code")) {
	const button = document.createElement("button");
	button.type = "button";
	button.className = "copy";
	button.textContent = "Copy";
	button.onclick = async () => {
		await navigator.clipboard.writeText(block.querySelector("code").textContent);
		button.textContent = "Copied";
		setTimeout(() => (button.textContent = "Copy"), 1500);
	};
	block.append(button);
}

// One button folds the code of the page, and the next page remembers.
const fold = document.querySelector(".fold");
if (fold) {
	const blocks = document.querySelectorAll("details.cell");
	const apply = folded => {
		for (const block of blocks) block.open = !folded;
		fold.textContent = folded ? "Show code" : "Hide code";
		fold.ariaPressed = folded;
	};
	fold.hidden = blocks.length === 0;
	fold.onclick = () => {
		const folded = fold.ariaPressed !== "true";
		apply(folded);
		remembered.set("folded", folded);
	};
	apply(remembered.get("folded") === "true");
	addEventListener("beforeprint", () => { for (const block of blocks) block.open = true; });
}

// Search reads the sections of all pages, which the index carries.
const search = document.querySelector("#search");
if (search) {
	const sections = JSON.parse(document.querySelector("#sections").textContent);
	const found = document.querySelector("#found");
	const plain = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
	for (const s of sections) s.plain = plain(`${s.Title} ${s.Text}`);
	const look = () => {
		const words = plain(search.value).split(/\s+/).filter(Boolean);
		const hits = words.length ? sections.filter(s => words.every(w => s.plain.includes(w))) : [];
		hits.sort((a, b) => words.every(w => plain(b.Title).includes(w)) - words.every(w => plain(a.Title).includes(w)));
		found.replaceChildren(...hits.slice(0, 30).map(s => {
			const item = document.createElement("li"), link = document.createElement("a");
			link.href = s.Address;
			link.textContent = s.Title;
			const at = Math.max(0, s.plain.indexOf(words[0]) - s.Title.length - 60);
			item.append(link, ` ${at ? "…" : ""}${s.Text.slice(at, at + 160)}…`);
			return item;
		}));
		document.querySelector("#count").textContent = words.length ? `${hits.length} of ${sections.length} sections` : "";
	};
	search.oninput = look;
	search.closest("form").onsubmit = e => e.preventDefault();
	search.closest("form").hidden = false;
	look();
}
