"""The report's style sheet: the console's tokens, on paper."""

CSS = """
:root{--font:system-ui,'Noto Sans','PingFang SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif;
--bg:#f6f7f8;--panel:#fff;--ink:#16202a;--mute:#5b6874;--line:#dfe4e8;--accent:#0b6b63;
--wait:#b45309;--critical:#b42318}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 var(--font);
font-variant-numeric:tabular-nums;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1200px;margin:0 auto;padding:32px 24px 24px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:15px;font-weight:600;margin:0 0 8px}
header{margin-bottom:20px}
p{margin:0}
header p,footer p{color:var(--mute);display:flex;flex-wrap:wrap;align-items:center}
header span:not(:last-of-type)::after,
footer span:not(:last-of-type)::after{content:'·';margin:0 8px}
.tag{margin-left:12px;font-size:11px;letter-spacing:.06em;color:var(--wait);
border:1px solid var(--wait);border-radius:4px;padding:1px 6px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));
border-top:1px solid var(--line);border-bottom:1px solid var(--line);margin-bottom:24px}
.figures div{padding:14px 16px 14px 0}
.figures b{display:block;font-size:26px;line-height:1.2;letter-spacing:-.01em;white-space:nowrap}
.figures span{color:var(--mute);font-size:12.5px;line-height:1.3;display:block}
.figures div:nth-child(3) b{color:var(--accent)}
.figures .bad b,.bad{color:var(--critical)}
section{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:16px;
margin-bottom:16px;break-inside:avoid;min-width:0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:16px;align-items:start}
.pair>section:only-child{grid-column:1/-1}
.four{display:grid;grid-template-columns:repeat(4,1fr);gap:16px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:24px 16px;align-items:start}
figure{margin:0;min-width:0}
.alone{grid-column:1/-1}
figcaption{font-weight:600;font-size:12.5px;margin-bottom:2px}
.plot{display:block;width:100%;height:auto}
.note{color:var(--mute);font-size:12.5px;margin-bottom:8px}
.key{display:flex;flex-wrap:wrap;gap:2px 16px;color:var(--mute);font-size:12.5px;margin-bottom:8px}
.key span{display:flex;align-items:center;gap:6px}
.k{width:12px;height:12px;border-radius:2px;background:var(--accent)}
.k.late,.k.waiting{
background:repeating-linear-gradient(-45deg,var(--wait) 0 1.2px,#fff 1.2px 3.6px);
outline:1px solid var(--wait);outline-offset:-1px}
.k.failed,.k.away{
background:repeating-linear-gradient(45deg,var(--critical) 0 1.2px,transparent 1.2px 4px),
repeating-linear-gradient(-45deg,var(--critical) 0 1.2px,#fff 1.2px 4px);
outline:1px solid var(--critical);outline-offset:-1px}
.k.decontaminating{background:#3c8a83}.k.returning{background:#86bab4}
.k.charging{background:#c3ced6}.k.idle{background:#edf0f2;outline:1px solid var(--line)}
table{border-collapse:collapse;width:100%}
th{font-weight:400;color:var(--mute);font-size:12.5px;text-align:left;padding:0 12px 4px 0}
td{padding:6px 12px 6px 0;border-top:1px solid var(--line)}
.numbers td:first-child{font-weight:600}
.numbers th:not(:first-child),.numbers td:not(:first-child){text-align:right}
.numbers td:last-child,.numbers th:last-child{padding-right:0;white-space:nowrap}
.bar{display:inline-block;width:96px;height:8px;border-radius:4px;background:#edf0f2;
margin-right:10px;overflow:hidden;vertical-align:1px}
.bar i{display:block;height:100%;background:var(--accent)}
footer{font-size:12.5px;padding:4px 0 16px}
code{font:11px ui-monospace,Menlo,Consolas,monospace;margin-left:6px;overflow-wrap:anywhere}
@media (max-width:900px){.pair,.two{grid-template-columns:1fr}.four{grid-template-columns:1fr 1fr}
main{padding:16px 12px}section{overflow-x:auto}}
@media print{body{background:#fff}main{padding:0;max-width:none}}
"""
