// A line without axes: how a number has moved. The number itself stands beside it, so readers of the page's text miss nothing.

const width = 120;
const height = 24;

export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 0);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const points = values.flatMap((value, index) => {
    if (value === null) return [];
    const y = most === 0 ? height - 1 : height - 1 - (value / most) * (height - 2);
    return [`${(index * step).toFixed(1)},${y.toFixed(1)}`];
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" preserveAspectRatio="none">
      <polyline points={points.join(" ")} />
    </svg>
  );
}
