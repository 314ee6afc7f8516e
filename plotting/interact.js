// Sends "number value value …", or "number stop" for the button, to the cell's
// program. Numbers grow, also if the page draws the sliders again.
(address) => {
  const root = document.getElementById(address);
  const ranges = [...root.querySelectorAll('input')];
  let number = 0, stopped = false, timer;
  const send = () => {
    timer = undefined;
    number = Math.max(number + 1, Date.now());
    const state = stopped ? 'stop' : ranges.map(r => r.value).join(' ');
    globalThis.gonb_comm?.send(address, `${number} ${state}`);
  };
  root.addEventListener('input', () => {
    ranges.forEach(r => { r.nextElementSibling.value = Number(r.value).toFixed(r.dataset.decimals); });
    timer ??= setTimeout(send, 40); // ms, a move of the hand is many events
  });
  root.querySelector('button').addEventListener('click', event => {
    stopped = true;
    [event.target, ...ranges].forEach(e => { e.disabled = true; });
    send();
  });
  send();
  // Again each second: what is sent before there is a connection is lost.
  const repeat = setInterval(() => root.isConnected ? send() : clearInterval(repeat), 1000);
}
