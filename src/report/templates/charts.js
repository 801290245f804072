// Values and zoom of the charts. The page says the same without it: every value is a title in the SVG, too.
(() => {
  const make = (name, attributes, parent, text = '') => {
    const one = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    one.textContent = text;
    parent.append(one);
    return one;
  };

  // The values of a chart, from left to right, and the place that is looked at.
  class Values {
    constructor(svg, says) {
      this.svg = svg;
      this.says = says;
      this.points = [...svg.querySelectorAll('circle')]
        .filter((circle) => circle.querySelector('title'))
        .map((circle) => {
          const [x, y] = [circle.cx.baseVal.value, circle.cy.baseVal.value];
          return { x, y, text: circle.querySelector('title').textContent };
        });
      this.at = -1;
      svg.addEventListener('pointermove', (event) => {
        const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const far = (point) => Math.abs(point.x - place.x) * 1000 + Math.abs(point.y - place.y);
        const nearest = this.points.reduce((best, point, index) => (best < 0 || far(point) < far(this.points[best]) ? index : best), -1);
        this.show(nearest);
      });
    }

    show(at) {
      const point = this.points[at];
      if (!point) return;
      this.at = at;
      this.says.textContent = point.text;
      if (!this.dot) {
        this.dot = document.createElementNS(this.svg.namespaceURI, 'circle');
        this.dot.setAttribute('class', 'at');
        this.dot.setAttribute('r', '9');
        this.svg.append(this.dot);
      }
      this.dot.setAttribute('cx', point.x);
      this.dot.setAttribute('cy', point.y);
    }

    // Left, right, first and last; whether the key was one of these.
    step(key) {
      const last = this.points.length - 1;
      const to = { ArrowLeft: Math.max(this.at - 1, 0), ArrowRight: Math.min(this.at + 1, last), Home: 0, End: last }[key];
      if (to === undefined) return false;
      this.show(to);
      return true;
    }
  }

  // One window for the chart that is looked at closely.
  const dialog = make('dialog', { class: 'closer' }, document.body);
  const bar = make('p', {}, dialog);
  const button = (label, text, act) => make('button', { type: 'button', 'aria-label': label }, bar, text).addEventListener('click', act);
  let values;
  let whole;
  let factor = 1;
  const zoom = (to) => {
    factor = Math.min(Math.max(to, 1), 16);
    const [, , width, height] = whole;
    const point = values.points[values.at] ?? { x: width / 2, y: height / 2 };
    const within = (middle, part, all) => Math.min(Math.max(middle - part / 2, 0), all - part);
    const [w, h] = [width / factor, height / factor];
    values.svg.setAttribute('viewBox', [within(point.x, w, width), within(point.y, h, height), w, h].join(' '));
  };
  button('Zoom in', '+', () => zoom(factor * 2));
  button('Zoom out', '−', () => zoom(factor / 2));
  button('1:1, the whole chart', '1:1', () => zoom(1));
  button('Close', '×', () => dialog.close());
  const place = make('div', {}, dialog);
  const says = make('output', {}, dialog);
  dialog.addEventListener('close', () => place.replaceChildren());
  dialog.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(factor * (event.deltaY < 0 ? 2 : 0.5));
  }, { passive: false });
  dialog.addEventListener('keydown', (event) => {
    const keys = { '+': factor * 2, '=': factor * 2, '-': factor / 2, 0: 1 };
    if (event.key in keys) zoom(keys[event.key]);
    else if (values.step(event.key)) zoom(factor);
    else return;
    event.preventDefault();
  });

  for (const svg of document.querySelectorAll('figure > svg')) {
    const name = svg.getAttribute('aria-label');
    const figure = svg.parentElement;
    const opener = make('button', { type: 'button', class: 'zoom', 'aria-label': `Zoom: ${name}. Arrow keys read the values.` }, figure, '+');
    const own = new Values(svg, make('output', {}, figure));
    opener.addEventListener('keydown', (event) => {
      if (own.step(event.key)) event.preventDefault();
    });
    opener.addEventListener('click', () => {
      const copy = svg.cloneNode(true);
      copy.querySelector('.at')?.remove();
      place.replaceChildren(copy);
      dialog.setAttribute('aria-label', name);
      whole = copy.getAttribute('viewBox').split(' ').map(Number);
      says.textContent = '';
      values = new Values(copy, says);
      if (own.at >= 0) values.show(own.at);
      zoom(1);
      dialog.showModal();
    });
  }
})();
