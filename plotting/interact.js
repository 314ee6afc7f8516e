// Puts sliders into the output of the cell, where they are not saved, and sends
// "number value value …", or "number stop", to the cell's program. Numbers grow, so
// that the program can tell the newest. It answers each, and where it does not any
// more, the sliders say so.
(address, kernel, sliders) => {
  const root = document.getElementById(address);
  if (!root || root.firstChild) return; // is there already
  const ownKeys = 'data-lm-suppress-shortcuts="true"'; // which JupyterLab would take, such as Enter
  const row = ({Label, Min, Max, Step, Value, Decimals}, i) => `
    <label for="${address}-${i}">${Label}</label>
    <input type="range" ${ownKeys} id="${address}-${i}" min="${Min}" max="${Max}" step="${Step}" value="${Value}" data-decimals="${Decimals}">
    <output for="${address}-${i}" style="font-variant-numeric:tabular-nums">${Value.toFixed(Decimals)}</output>`;
  root.innerHTML = `
    <style>.jp-OutputArea:has(#${address}) .qhlab-saved{display:none}</style>
    <div style="display:grid;grid-template-columns:max-content minmax(8em,24em) 5em;gap:.3em 1em;align-items:center;padding:.5em 0">
      ${sliders.map(row).join('')}
      <button type="button" ${ownKeys} style="justify-self:start">Stop</button>
      <span role="status" style="grid-column:2/4">The cell runs, and draws anew, until you press Stop.</span>
    </div>`;
  const cell = root.closest('.jp-Cell'), panel = root.closest('.jp-NotebookPanel');
  const ranges = [...root.querySelectorAll('input')], button = root.querySelector('button');
  const status = root.querySelector('[role=status]'), alive = status.textContent;
  let number = 0, absent = 0, state, timer, comm, heard;

  const send = () => {
    timer = undefined;
    number = Math.max(number + 1, Date.now());
    globalThis.gonb_comm?.send(address, `${number} ${state ?? ranges.map(r => r.value).join(' ')}`);
  };
  // The server ends the program where the program itself cannot be told to.
  const interrupt = () => {
    const page = JSON.parse(document.getElementById('jupyter-config-data')?.textContent ?? '{}');
    const headers = {'X-XSRFToken': /\b_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? ''};
    if (page.token) headers.Authorization = `token ${page.token}`;
    fetch(`${page.baseUrl ?? '/'}api/kernels/${kernel}/interrupt`, {method: 'POST', headers}).catch(() => {});
  };
  const stop = () => { state = 'stop'; };
  const check = () => {
    if (comm !== globalThis.gonb_comm) { // connected, lost, or another kernel's
      comm = globalThis.gonb_comm;
      comm?.subscribe(`${address}/heard`, () => { heard = Date.now(); });
    }
    // A cell that is scrolled away may be out of the page, with its output in it.
    const gone = panel ? !panel.isConnected || !cell.contains(root) : !root.isConnected;
    if (gone) stop();
    if (gone && ++absent > 120) clearInterval(checks); // a minute: the program has heard it, or is no more
    const lost = heard && Date.now() - heard > 2200; // ms; but connecting takes its time
    ranges.forEach(r => { r.disabled = lost || state !== undefined; });
    status.textContent = lost ? 'not connected: run this cell again' : alive;
    send();
  };
  root.addEventListener('input', () => {
    ranges.forEach(r => { r.nextElementSibling.value = Number(r.value).toFixed(r.dataset.decimals); });
    timer ??= setTimeout(send, 40); // ms, a move of the hand is many events
  });
  button.addEventListener('click', () => {
    stop();
    check();
    button.disabled = true;
    const at = Date.now(), unheard = () => !(heard > at);
    // An interrupt would keep the cells that wait from running, so it is for a program
    // that did not hear, or that cannot end.
    setTimeout(() => { if (root.isConnected && unheard()) interrupt(); }, 1000);
    setTimeout(() => { if (root.isConnected) interrupt(); }, 10000);
  });
  addEventListener('pagehide', () => { stop(); send(); });
  const checks = setInterval(check, 500);
  check();
}
