# SPDX-License-Identifier: Apache-2.0
# What fph-bench says of its runs: from the object with .variants and .runs, its summary; from the object
# with both, the table and the plot. Nothing here looks at anything else.

def MIB: 1048576;
def NOTHING: "nothing";
def STEPS: ["reclaim", "balloon-drain", "snapshot", "madvise-ranges"];

def is_measured: .mem_file != null;

# The middle of the sorted numbers, or of the two in the middle; the one that 95 % reach at most (nearest
# rank); null of none.
def spread:
	map(numbers) | sort | length as $n |
	if $n == 0 then null
	else {median: ((.[($n - 1) / 2 | floor] + .[$n / 2 | floor]) / 2 * 1000 | round / 1000),
		p95: .[($n * 0.95 | ceil) - 1], min: .[0], max: .[-1]} end;

def counts: group_by(.) | map({key: .[0], value: length}) | from_entries;

def step($name): .pause.steps // [] | map(select(.step == $name)) | .[0];

# The steps that were taken: how long, and with which end.
def step_figures:
	[. as $runs | STEPS[] as $name |
		[$runs[] | step($name) | select(. != null and .status != "skipped")] |
		select(length > 0) |
		{key: $name, value: {ms: (map(.ms) | spread), statuses: (map(.status) | counts)}}] | from_entries;

def percent($base): if . == null or ($base // 0) == 0 then null else (. / $base - 1) * 1000 | round / 10 end;

# May the difference be noise? It may where the ranges overlap; of single runs nobody knows.
def noise($base): if .n < 2 or $base.n < 2 then null else .of.min <= $base.of.max and $base.of.min <= .of.max end;

def against($base):
	. as $own | $own + {against_nothing: (if $base == null or .variant == NOTHING or .measured == 0 then null else
		[["mem_file", "mem_file_bytes"], ["paused", "paused_ms"], ["total", "total_ms"]] | map(.[0] as $name | .[1] as $key |
			{"\($name)_percent": ($own[$key].median | percent($base[$key].median)),
			 "\($name)_noise": ({n: $own.measured, of: $own[$key]} | noise({n: $base.measured, of: $base[$key]}))}) | add end)};

# Who wrote the memory file; null of a run that is not told of (of an older fcpause).
def writer_name: if .layer == true and .writer != null then "\(.writer) (layer)" else .writer end;

def summary:
	.runs as $runs |
	[.variants[] as $variant |
		[$runs[] | select(.variant == $variant)] as $of |
		[$of[] | select(is_measured)] as $good |
		{variant: $variant, measured: ($good | length),
		 unsupported: ([$of[] | select(.status == "unsupported")] | length),
		 failed: ([$of[] | select((is_measured or (.status | IN("unsupported", "skipped"))) | not)] | length),
		 mem_file_bytes: ($good | map(.mem_file.allocated_bytes) | spread),
		 logical_bytes: ($good | map(.mem_file.logical_bytes) | spread),
		 paused_ms: ($good | map(.paused_ms) | spread),
		 total_ms: ($good | map(.total_ms) | spread),
		 drained_bytes: ($good | map(.drained_bytes) | spread),
		 writers: ($good | map(writer_name | strings) | counts),
		 steps: ($good | step_figures)}] |
	([.[] | select(.variant == NOTHING and .measured > 0)][0]) as $base |
	map(against($base));

# ---- text --------------------------------------------------------------------------------------

def fixed: if . == null then "-" else . * 10 | round / 10 | tostring | if test("\\.") then . else . + ".0" end end;
def signed: if . == null then "-" elif . == 0 then "0%" else (if . > 0 then "+" else "" end) + fixed + "%" end;
# {percent, noise}
def change_text: if .noise then "~" else "" end + (.percent | signed);
def change($name): .against_nothing | {percent: .["\($name)_percent"], noise: .["\($name)_noise"]};
def of_mib: if . == null then null else map_values(. / MIB) end;
def range_text: if . == null then "-" else "\(.median | fixed) (\(.min | fixed)-\(.max | fixed))" end;

# Why a variant has fewer figures than runs, and what fell short in those that it has: {count, text} each.
def notes($runs):
	[$runs[] |
		if is_measured | not then "\(.status): \(.reason // "?")"
		elif .status == "ok" then empty
		else [.pause.steps[]? | select(.status | IN("ok", "skipped") | not) | "\(.step) \(.status): \(.reason // "?")"] |
			if length == 0 then "partial" else .[] end end] |
	group_by(.) | map({count: length, text: .[0]});

def count_text: if .failed > 0 then "\(.measured)/\(.measured + .failed)" else "\(.measured)" end;

# Most often one.
def writers_text: .writers // {} | to_entries | if length == 0 then "-"
	elif length == 1 then .[0].key else map("\(.key): \(.value)") | join(", ") end;

def row:
	if .measured == 0 then
		[.variant, count_text, (if .unsupported > 0 then "unsupported" elif .failed > 0 then "failed" else "no run" end)]
	else [.variant, count_text,
		(.mem_file_bytes | of_mib | range_text), (change("mem_file") | change_text),
		(.paused_ms | range_text), (change("paused") | change_text),
		(.total_ms | range_text), (change("total") | change_text),
		(.drained_bytes | of_mib | .median? | fixed), writers_text] end;

def pad($width): . + (" " * ($width - length) // "");

def aligned:
	. as $rows | [range($rows[0] | length) as $i | [$rows[] | .[$i] // "" | length] | max] as $widths |
	$rows[] | [range(length) as $i | .[$i] | pad($widths[$i])] | join("  ") | sub(" +$"; "");

# Of the runs: the guest's size, what ran, where, since when. What is not known is left out.
def where_and_when:
	def one: map(select(. != null)) | unique | if length == 0 then empty else join(", ") end;
	[.runs[] | select(is_measured)] as $good |
	[($good | map(.mem_file.logical_bytes / MIB | "\(fixed | sub("\\.0$"; "")) MiB guest") | one),
	 ($good | map(.pause.vmm_version | strings | "Firecracker " + .) | one),
	 ($good | map(.pause.version | strings | "fcpause " + .) | one),
	 ($good | map(.pause.host | strings | "on " + .) | one),
	 ([.runs[].pause.start_time? | strings | .[:10]] | min // empty)] | join(", ") + "." | select(. != ".");

def table:
	.runs as $runs |
	([["variant", "n", "MiB on disk", "change", "paused ms", "change", "total ms", "change", "drained MiB", "written by"]] + (.summary | map(row)) | aligned),
	"",
	"Each: median (min-max), and the median's change against that of \(NOTHING).",
	(if [.summary[] | change("mem_file", "paused", "total").noise] | any then
		"~: the ranges overlap, so that it may be noise." else empty end),
	where_and_when,
	(.summary[] | . as $s | notes([$runs[] | select(.variant == $s.variant)])[] |
		"\($s.variant): \(.count) of \($s.measured + $s.failed + $s.unsupported): \(.text)");

# ---- the plot ----------------------------------------------------------------------------------

# What XML does not allow in it is left out.
def xml: tostring | explode | map(if . == 9 or . == 10 then 32 else . end | select(. >= 32 and . != 65534 and . != 65535)) |
	implode | @html;
def shortened($n): if length > $n then .[:$n - 1] + "…" else . end;
def px: . * 10 | round / 10 | tostring;

# A step of 1, 2 or 5 times a power of ten, so that some five of them reach the number.
def tick_step: (. / 5) as $raw |
	pow(10; $raw | log10 | floor) as $ten |
	($raw / $ten) | (if . <= 1 then 1 elif . <= 2 then 2 elif . <= 5 then 5 else 10 end) * $ten;

def ROW: 46; def TOP: 112; def BARS: 280; def PANEL: 400; def THICK: 18;

def text_at($x; $y; $class; $more): "<text x=\"\($x | px)\" y=\"\($y | px)\" class=\"\($class)\"\($more)>\(xml)</text>";
def text_at($x; $y; $class): text_at($x; $y; $class; "");

# Dots of equal values do not cover each other: they are spread over the bar's thickness.
def dots($scale; $x; $y):
	length as $n | to_entries[] |
	($y + (if $n > 1 then (.key / ($n - 1) - 0.5) * (THICK - 8) else 0 end)) as $at |
	"<circle class=\"dot\" cx=\"\($x + .value * $scale | px)\" cy=\"\($at | px)\" r=\"2.6\"/>";

def whisker($scale; $x; $y):
	($x + .min * $scale) as $a | ($x + .max * $scale) as $b |
	"<path class=\"whisker\" d=\"M\($a | px) \($y | px)H\($b | px)M\($a | px) \($y - 5 | px)v10M\($b | px) \($y - 5 | px)v10\"/>";

# One variant's bar: {variant, spread, values, change, none}.
def bar($scale; $x; $y; $unit):
	if .spread == null then .none | text_at($x + 6; $y + 4; "muted")
	else
		"<g><title>\("\(.variant): median \(.spread.median | fixed) \($unit), \(.spread.min | fixed) to \(.spread.max | fixed)" | xml)</title>",
		"<rect class=\"\(if .variant == NOTHING then "base" else "bar" end)\" x=\"\($x | px)\" y=\"\($y - THICK / 2 | px)\" width=\"\(.spread.median * $scale | px)\" height=\"\(THICK)\" rx=\"2\"/>",
		(.spread | whisker($scale; $x; $y)), (.values | dots($scale; $x; $y)), "</g>",
		# Beside the bar, behind whatever reaches farther.
		($x + 8 + .spread.max * $scale) as $edge |
		("median \(.spread.median | fixed)" | text_at($edge; $y - 1; "value")),
		(.change | select(.percent != null) | (.percent | signed | sub("-"; "−")) + if .noise then ", maybe noise" else "" end |
			text_at($edge; $y + 12; "percent")) end;

def axis($top; $x; $rows):
	($top | if . > 0 then . else 1 end) as $top |
	($top | tick_step) as $step | ($top / $step | ceil) as $ticks |
	(BARS / ($step * $ticks)) as $scale | (TOP + ROW * $rows) as $bottom |
	{scale: $scale, svg: [range($ticks + 1) as $i | ($x + $i * $step * $scale) as $at |
		"<path class=\"\(if $i == 0 then "axis" else "grid" end)\" d=\"M\($at | px) \(TOP - 6)V\($bottom)\"/>",
		($i * $step * 1000 | round / 1000 | tostring | text_at($at; $bottom + 18; "tick"; " text-anchor=\"middle\""))]};

def panel($x; $title; $unit):
	. as $bars | axis([$bars[] | .spread.max // 0] | max // 1; $x; $bars | length) as $axis |
	($title | text_at($x; TOP - 20; "head")), $axis.svg[],
	($bars | to_entries[] | .key as $i | .value | bar($axis.scale; $x; TOP + ROW * $i + ROW / 2; $unit));

# Of the names, beside the bars.
def labels_width: [.summary[].variant | length * 8 + 24] + [168] | max;

def labels($width):
	to_entries[] | (TOP + ROW * .key + ROW / 2) as $y | .value |
	(.variant | text_at($width - 12; $y - 1; "name"; " text-anchor=\"end\"")),
	((if .failed > 0 then "\(.measured) of \(.measured + .failed) runs, \(.failed) failed"
		elif .measured == 0 then "" elif .measured == 1 then "1 run" else "\(.measured) runs" end) +
		(writers_text | if . == "-" then "" else ", by \(.)" end) |
		text_at($width - 12; $y + 12; if test(" failed") then "failed" else "muted" end; " text-anchor=\"end\""));

def TITLE: "What each step, and who writes, does to a snapshot";

def style: "
text{font-family:system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif;font-size:13px;fill:#1f2328}
.paper{fill:#ffffff}.title{font-size:17px;font-weight:600}.head{font-weight:600}.name{font-weight:600}
.muted,.tick,.percent{font-size:11px;fill:#59636e}.failed{font-size:11px;fill:#b3261e}.value{font-size:12px}
.bar{fill:#7fb2ec}.base{fill:#b8c0c9}.dot{fill:#12427a;fill-opacity:.8}.whisker{stroke:#12427a}
.grid{stroke:#e4e8ec}.axis{stroke:#59636e}path{fill:none;stroke-width:1}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.paper{fill:#0d1117}.muted,.tick,.percent{fill:#9aa4af}.failed{fill:#ff8a80}
.bar{fill:#2f6fb5}.base{fill:#56606b}.dot{fill:#cfe4ff}.whisker{stroke:#cfe4ff}
.grid{stroke:#262d36}.axis{stroke:#9aa4af}
}
";

def svg:
	.runs as $runs | .summary as $summary |
	labels_width as $left |
	(TOP + ROW * ($summary | length) + 50) as $height | ($left + 2 * PANEL + 12) as $width |
	def bars(figures; values; $name):
		[$summary[] | . as $s | {variant, spread: figures, change: change($name),
			values: [$runs[] | select(.variant == $s.variant and is_measured) | values],
			none: (if .unsupported > 0 then "unsupported" elif .failed > 0 then "failed" else "no run" end)}];
	"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \($width) \($height)\" width=\"\($width)\" height=\"\($height)\" role=\"img\" aria-labelledby=\"title what\">",
	"<title id=\"title\">\(TITLE)</title>",
	"<desc id=\"what\">\([$summary[] | "\(.variant): \(.mem_file_bytes | of_mib | range_text) MiB on disk, paused \(.paused_ms | range_text) ms"] | join("; ") | xml)</desc>",
	"<style>\(style)</style>",
	"<rect class=\"paper\" width=\"100%\" height=\"100%\"/>",
	(TITLE | text_at(16; 28; "title")),
	((.workload | if . == null then "No workload." else "Workload: " + . end) | shortened(130) | text_at(16; 48; "muted")),
	(where_and_when | shortened(130) | text_at(16; 64; "muted")),
	($summary | labels($left)),
	(bars(.mem_file_bytes | of_mib; .mem_file.allocated_bytes / MIB; "mem_file") |
		panel($left; "Memory file on disk, MiB"; "MiB")),
	(bars(.paused_ms; .paused_ms; "paused") |
		panel($left + PANEL; "The guest stood still, ms"; "ms")),
	("Bar: median. Line: least to most. Dot: one run. Below the figure: against \(NOTHING); maybe noise where the ranges overlap. Shorter is better." |
		text_at(16; $height - 10; "muted")),
	"</svg>";
