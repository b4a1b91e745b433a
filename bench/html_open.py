#!/usr/bin/env python3
"""How long the HTML page of a profile takes to open in headless Chromium, and to answer: 100,000 call paths, 2^18 spans
and as many device operations and runtime calls (tests/browser/profile_pages.c), and a page of a usual size.

    bench/html_open.py [BUILD_FOLDER] [--loads N]       BUILD_FOLDER: build/release; needs its target profile_pages

"interactive" is the time from the start of the navigation until every view is drawn and answers, as the page takes it;
"answer" the longest that one of a dozen user's steps (zoom, search, sort, filter, pan) keeps the page busy, drawing
included. Medians of N loads, the worst in brackets. The target is 2 s.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, f'{root}/tests/browser')
sys.dont_write_bytecode = True
import browser  # noqa: E402

TARGET = 2000
STEPS = ('flame.zoom(1)', 'flame.search("part_1")', 'flame.zoom(-1)', 'flame.show(1)', 'flame.show(0)',
         'table.setMode("paths")', 'table.sort("cumtime")', 'table.setFilter("p.*7")', 'axis.set(1e9, 1.01e9)',
         'axis.set(1e9, 3e9)', 'axis.set(0, 1e15)', 'table.setMode("functions")')
ANSWER = '''(() => {{ const start = performance.now(); fmlpProfile.{step}; fmlpProfile.flame.draw();
  fmlpProfile.timeline.draw(); fmlpProfile.memory.draw(); return performance.now() - start; }})()'''


def measure(chromium, path):
    page = chromium.open(f'file://{path}')
    page.until('document.body !== null && Number(document.body.dataset.ready) > 0')
    ready = page.evaluate('fmlpProfile.ready')
    answer = max(page.evaluate(ANSWER.format(step=step)) for step in STEPS)
    page.close()
    return ready, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build', nargs='?', default=f'{root}/build/release')
    parser.add_argument('--loads', type=int, default=7)
    options = parser.parse_args()
    if not browser.find():
        print('skipped: no Chromium (tools/install-dependencies browser)')
        return 77
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        subprocess.run([f'{options.build}/tests/profile_pages', folder], check=True)
        print('page       file MB   interactive ms   answer ms')
        worst = 0
        for name in ('fixture', 'large'):
            path = f'{folder}/{name}.html'
            loads = [measure(chromium, path) for _ in range(options.loads)]
            ready, answer = ([load[i] for load in loads] for i in (0, 1))
            worst = max(worst, statistics.median(ready))
            print(f'{name:8} {os.path.getsize(path) / 1e6:9.2f} {statistics.median(ready):8.0f} ({max(ready):.0f})'
                  f'{statistics.median(answer):10.0f} ({max(answer):.0f})')
        print(f'target: interactive in {TARGET} ms: {"reached" if worst <= TARGET else "missed"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
