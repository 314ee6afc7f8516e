// Returns what is wrong with a page for its readers, apart from what axe-core finds, as a
// list of sentences.
(() => {
	const wrong = [];
	const page = document.documentElement;
	if (page.scrollWidth > page.clientWidth) {
		wrong.push(`the page is ${page.scrollWidth} px wide in a window of ${page.clientWidth} px`);
	}
	for (const image of document.images) image.loading = "eager";
	for (const { name } of performance.getEntriesByType("resource")) {
		if (!/^(file|data):/.test(name)) wrong.push(`loads ${name}`);
	}
	for (const math of document.querySelectorAll("math")) {
		if (math.getBoundingClientRect().width === 0) wrong.push(`the formula "${math.textContent}" is not drawn`);
	}
	return wrong;
})()
