for (const block of document.querySelectorAll(".code")) {
	const button = document.createElement("button");
	button.type = "button";
	button.textContent = "Copy";
	button.onclick = async () => {
		await navigator.clipboard.writeText(block.querySelector("code").textContent);
		button.textContent = "Copied";
		setTimeout(() => (button.textContent = "Copy"), 1500);
	};
	block.append(button);
}
