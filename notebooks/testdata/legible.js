// Returns what is wrong with a page for its readers, as a list of sentences.
(() => {
	const wrong = [];
	const name = e => `<${e.tagName.toLowerCase()}> "${e.textContent.trim().slice(0, 40)}"`;

	const page = document.documentElement;
	if (page.scrollWidth > page.clientWidth) {
		wrong.push(`the page is ${page.scrollWidth} px wide in a window of ${page.clientWidth} px`);
	}

	let level = 0;
	for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		const next = Number(heading.tagName[1]);
		if (next > level + 1) wrong.push(`${name(heading)} follows a heading of level ${level}`);
		level = next;
	}
	const tops = document.querySelectorAll("h1").length;
	if (tops !== 1) wrong.push(`${tops} headings of level 1`);

	for (const image of document.images) {
		if (!image.alt.trim()) wrong.push(`${image.src} has no alternative text`);
		image.loading = "eager";
	}
	for (const entry of performance.getEntriesByType("resource")) {
		if (!entry.name.startsWith("file:") && !entry.name.startsWith("data:")) wrong.push(`loads ${entry.name}`);
	}
	for (const math of document.querySelectorAll("math")) {
		if (math.getBoundingClientRect().width === 0) wrong.push(`the formula ${name(math)} is not drawn`);
	}

	// Contrast after WCAG 2.2, criterion 1.4.3 (AA): 4.5, and 3 for large text.
	const channels = color => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const ground = e => {
		for (; e; e = e.parentElement) {
			const color = channels(getComputedStyle(e).backgroundColor);
			if (color.length < 4 || color[3] > 0) return color;
		}
		return [255, 255, 255];
	};
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const seen = new Set();
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || seen.has(e) || !e.checkVisibility()) continue;
		seen.add(e);
		const style = getComputedStyle(e);
		const [dark, light] = [luminance(channels(style.color)), luminance(ground(e))].sort((a, b) => a - b);
		const ratio = (light + 0.05) / (dark + 0.05);
		const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) wrong.push(`${name(e)} has a contrast of ${ratio.toFixed(2)}`);
	}
	return wrong;
})()
