#!/usr/bin/env python3
"""Opens pages of profiles in headless Chromium and uses them as a user does: no error, nothing loaded, the capture's
totals, views that answer. Skipped (77) where there is no Chromium.

    profile_html.py FMLP PROFILE_PAGES [SCREENSHOTS]    with a folder, pictures of every page, light and dark
"""
import os
import subprocess
import sys
import tempfile

import browser

READY = 'document.body !== null && Number(document.body.dataset.ready) > 0'
failures = 0


def check(what, good, seen=''):
    global failures
    if not good:
        failures += 1
        print(f'FAILED {what}: {seen}')


def equal(what, got, wanted):
    check(what, got == wanted, f'{got!r} instead of {wanted!r}')


class View:
    """A page that is ready, and short words for what tests ask it."""

    def __init__(self, chromium, folder, name, **options):
        self.name = name
        self.page = chromium.open(f'file://{folder}/{name}.html', **options)
        self.page.until(READY, 120)

    def ask(self, script):
        return self.page.evaluate(script)

    def text(self, element):
        return self.ask(f'document.getElementById("{element}").textContent')

    def place(self, element):
        self.page.settle()
        return self.ask(f'(() => {{ const e = document.getElementById("{element}"); e.scrollIntoView({{block: "center"}}); '
                        'const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()')

    def done(self):
        equal(f'{self.name}: errors', self.page.errors, [])
        equal(f'{self.name}: problems', self.ask('fmlpProfile.problems'), [])
        equal(f'{self.name}: asked for', [u for u in self.page.requests if not u.endswith(f'/{self.name}.html')], [])
        equal(f'{self.name}: hacked', self.ask('typeof window.hacked'), 'undefined')
        self.page.close()


def drawn(view, canvas):
    """Different colours of a canvas: one is an empty picture."""
    return view.ask(f'(() => {{ const from = document.getElementById("{canvas}"), c = document.createElement("canvas"); '
                    'c.width = from.width; c.height = from.height; if (!c.width) return 0; '
                    'const context = c.getContext("2d", {willReadFrequently: true}); context.drawImage(from, 0, 0); '
                    'const d = context.getImageData(0, 0, c.width, c.height).data, seen = new Set(); '
                    'for (let i = 0; i < d.length; i += 4 * 7) seen.add(d[i] * 65536 + d[i + 1] * 256 + d[i + 2]); '
                    'return seen.size; })()')


def totals(view, tottime=None, device=None):
    summary = view.ask('fmlpProfile.summary()')
    for name in ('capture', 'functions', 'nodes'):
        equal(f'{view.name}: {name}', summary['tottime'], summary[name])
    if tottime is not None:
        equal(f'{view.name}: tottime', summary['tottime'], tottime)
        equal(f'{view.name}: device', summary['device'], device)
    check(f'{view.name}: elements', summary['elements'] < 6000, summary['elements'])
    return summary


def flame_views(view):
    equal('views', view.ask('fmlpProfile.flame.views().map((v) => v[1])'), [149000, 99000, 50000, 15500, 2500, 9264, 4])
    view.ask('document.getElementById("flame-search").value = "walk"')
    view.ask('fmlpProfile.flame.search("walk")')
    equal('found', view.text('flame-found'), f'3 call paths, {100 * (30000 + 14000) / 149000:.1f} %')
    view.ask('fmlpProfile.flame.search("(")')
    check('a wrong expression is named', 'not a regular expression' in view.text('flame-found'))
    view.ask('fmlpProfile.flame.search("")')
    x, y, width, _ = view.place('flame-canvas')
    view.page.click(x + width * 0.2, y + 30)  # run, 66 % of the width, on the second row
    equal('zoomed', view.ask('fmlpProfile.flame.zoomed()'), 0)
    equal('crumbs', view.text('flame-crumbs'), 'allrun')
    check('the row of the block', view.ask('!document.getElementById("relations").hidden'))
    view.page.key('ArrowDown', 40)
    check('walks to the heaviest', view.text('flame-detail').startswith('run › labels —'), view.text('flame-detail'))
    view.page.key('ArrowRight', 39)
    check('walks beside', 'walk' in view.text('flame-detail'), view.text('flame-detail'))
    view.page.key('Enter', 13)
    equal('zoomed by key', view.ask('fmlpProfile.flame.zoomed()'), 3)
    view.page.key('Escape', 27)
    view.page.key('Escape', 27)
    equal('out again', view.ask('fmlpProfile.flame.zoomed()'), -1)
    x, y, width, _ = view.place('flame-canvas')
    view.page.mouse('mouseMoved', x + width * 0.2, y + 30)
    tip = view.text('tip')
    check('tip', 'fmlp_run' in tip and '31,000 ns' in tip and '99,000 ns' in tip, tip)
    view.page.mouse('mouseMoved', 1, 1)


def timeline_views(view):
    x, y, width, _ = view.place('timeline-canvas')
    equal('rows', view.ask('fmlpProfile.timeline.rows()'), 4 + 3 + 2)
    equal('arrows', view.ask('fmlpProfile.timeline.arrows()'), 4)
    view.page.click(x + width * 0.5, y + 33)
    check('selected span', view.text('timeline-detail').startswith('run —'), view.text('timeline-detail'))
    view.page.mouse('mouseWheel', x + width * 0.5, y + 33, deltaX=0, deltaY=-300)
    view.page.settle()
    span = view.ask('fmlpProfile.axis.to - fmlpProfile.axis.from')
    check('the wheel zooms', 1000 < span < 110000, span)
    before = view.ask('fmlpProfile.axis.from')
    view.page.mouse('mousePressed', x + width * 0.5, y + 33, 'left', clickCount=1)
    view.page.mouse('mouseMoved', x + width * 0.4, y + 33, 'left', buttons=1)
    view.page.mouse('mouseReleased', x + width * 0.4, y + 33, 'left', clickCount=1)
    check('dragging moves', view.ask('fmlpProfile.axis.from') > before)
    view.page.key('0', 48)
    equal('everything again', view.ask('[fmlpProfile.axis.from, fmlpProfile.axis.to]'), [0, 120000])


def table_views(view):
    order = 'Array.from(document.querySelectorAll("#table-rows tbody td.where b")).map((b) => b.textContent)'
    walk = 'walk "a;b" <\\>'
    equal('by tottime', view.ask(order), [walk, 'worker', 'run', 'labels.search', 'labels'])
    view.ask('fmlpProfile.table.sort("cumtime")')
    equal('by cumtime', view.ask(order), ['run', 'worker', walk, 'labels', 'labels.search'])
    equal('aria-sort', view.ask('document.querySelector("th[aria-sort]").getAttribute("aria-sort")'), 'descending')
    view.ask('fmlpProfile.table.sort("cumtime")')
    equal('turned', view.ask(order)[0], 'labels.search')
    view.ask('fmlpProfile.table.setFilter("^cpu/")')
    equal('filtered', view.ask(order), ['labels.search', 'worker'])
    view.ask('fmlpProfile.table.setFilter("")')
    equal('marked', view.ask('Array.from(document.querySelectorAll("#table-rows td.star")).map((s) => s.textContent)'),
          ['*'] * 5)
    view.ask('fmlpProfile.table.select(3)')
    check('callers', 'worker' in view.text('relations') and 'run' in view.text('relations'), view.text('relations'))
    view.ask('document.querySelector("#table-rows tbody button").focus()')
    view.page.key('Enter', 13, '\r')
    equal('chosen by key', view.ask('document.querySelector("#table-rows tr[aria-current] b").textContent'),
          view.ask(order)[0])
    view.ask('fmlpProfile.table.setMode("paths")')
    equal('paths', view.ask('fmlpProfile.table.rows()'), 8)
    view.ask('fmlpProfile.table.sort("gpu busy")')
    equal('by gpu busy', view.ask('fmlpProfile.table.order().slice(0, 2)'), [0, 1])


def named(view):
    """Whatever takes the focus, and every picture, tells a screen reader what it is."""
    nameless = []
    for node in view.page.call('Accessibility.getFullAXTree')['nodes']:
        takes_focus = any(p['name'] == 'focusable' and p['value'].get('value') for p in node.get('properties', []))
        if not node.get('ignored') and (takes_focus or node['role']['value'] in ('image', 'button', 'link')) and \
                not node.get('name', {}).get('value', '').strip():
            nameless.append(node['role']['value'])
    equal(f'{view.name}: nameless', nameless, [])


def fixture(chromium, folder):
    view = View(chromium, folder, 'fixture')
    totals(view, 149000, 15500)
    for canvas in ('flame-canvas', 'timeline-canvas', 'memory-canvas'):
        check(f'{canvas} is drawn', drawn(view, canvas) > 5, drawn(view, canvas))
    check('unattributed is said', '1 GPU operation could not be attributed' in view.text('notices'), view.text('notices'))
    check('repeats are said', 'the first of 2 runs: 120 µs, 120 µs' in view.text('tiles'), view.text('tiles'))
    check('cost is said', '20.5 ns each' in view.text('tiles'), view.text('tiles'))
    flame_views(view)
    timeline_views(view)
    table_views(view)
    named(view)
    check('lines', 'search_loop' in view.text('lines-body'))
    check('reasons', view.text('heavy-list').count('not known') == 5 and 'copy-bound' in view.text('heavy-device-list'))
    view.page.media(True)
    view.page.settle()
    dark = drawn(view, 'flame-canvas')
    view.page.media(False, paper=True)
    view.page.settle()
    check('dark and paper', dark > 5 and drawn(view, 'flame-canvas') > 5)
    view.done()


def others(chromium, folder):
    view = View(chromium, folder, 'few')
    summary = totals(view, 149000, 15500)
    equal('few spans', (summary['events'], summary['operations']), (3, 3))
    for said in ('11 spans are left out of the timeline of this page', '3 GPU operations are left out',
                 '2 runtime calls are left out'):
        check('few: what is left out is said', said in view.text('notices'), view.text('notices'))
    view.done()
    view = View(chromium, folder, 'empty')
    totals(view, 0, 0)
    check('empty says so', 'No calls were recorded' in view.text('flame-detail'), view.text('flame-detail'))
    view.done()
    view = View(chromium, folder, 'hostile')
    totals(view, 149000, 15500)
    equal('hostile name', view.text('name'), '</title><script>window.hacked=5</script>?')
    check('hostile rows', '</script><script>window.hacked=1</script>' in view.text('table-rows'))
    for mode in ('paths', 'functions'):
        view.ask(f'fmlpProfile.table.setMode("{mode}")')
        view.ask('fmlpProfile.table.select(0)')
    view.ask('fmlpProfile.flame.zoom(2)')
    view.ask('document.querySelectorAll(".bars button").forEach((b) => b.click())')
    equal('elements of a name', view.ask('document.querySelectorAll("main img, main script, main svg").length'), 0)
    view.done()


def large(chromium, folder):
    view = View(chromium, folder, 'large')
    summary = totals(view)
    check('large is large', summary['paths'] > 98000 and summary['events'] == summary['operations'] == 1 << 18, summary)
    print(f'large: ready after {view.ask("Math.round(fmlpProfile.ready)")} ms')
    bounded = 'fmlpProfile.flame.shown() < 60000 && fmlpProfile.timeline.drawn() < 60000'
    for step in ('flame.zoom(300)', 'flame.search("stage_1")', 'flame.zoom(-1)', 'flame.show(2)', 'table.setMode("paths")',
                 'table.sort("cumtime")', 'table.setFilter("part_7")', 'axis.set(1e9, 1.0003e9)', 'timeline.foldAll()',
                 'axis.set(0, 6e9)', 'table.select(5)'):
        view.ask(f'fmlpProfile.{step}')
        view.page.settle()
        check(f'bounded after {step}', view.ask(bounded), view.ask('[fmlpProfile.flame.shown(), fmlpProfile.timeline.drawn()]'))
    totals(view)
    for canvas in ('flame-canvas', 'timeline-canvas'):
        check(f'large: {canvas}', drawn(view, canvas) > 3, drawn(view, canvas))
    check('rows of the table', view.ask('fmlpProfile.table.rows()') <= 100)
    view.done()


def real(chromium, folder, fmlp):
    """A run's own page and its link in the report, and the page of an export: the same numbers."""
    def run(*arguments):
        subprocess.run([fmlp, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, 'FMLP_DEVICE': 'cpu'})

    run('synth', '--ticks', '20000', 'ticks.csv')
    run('run', 'data.path=ticks.csv', 'bars.threshold=20', 'labeling.volatility.window=20', 'labeling.side=both',
        'model.params.n_estimators=5', 'validation=purged_kfold', 'runtime.profile_level=full',
        'runtime.profile_sampling=500', 'run.dir=run')
    run('profile', 'export', '--format', 'html', '-o', 'export.html', 'run')
    check('small', os.path.getsize(f'{folder}/run/profile/profile.html') < 300000)
    report = open(f'{folder}/run/report.html', encoding='utf-8').read()
    check('linked', '<a href="profile/profile.html">' in report)
    exported = View(chromium, folder, 'export')
    own = View(chromium, f'{folder}/run/profile', 'profile')
    equal('same totals', own.ask('fmlpProfile.summary().tottime'), exported.ask('fmlpProfile.summary().tottime'))
    check('heavy blocks', 'model.forest' in own.text('heavy-list'), own.text('heavy-list'))
    check('facts', 'commit' in own.text('about-body'))
    totals(own)
    own.done()
    exported.done()


def pictures(chromium, folder, target):
    for name in ('fixture', 'hostile', 'empty', 'large', 'export'):
        for dark in (False, True):
            view = View(chromium, folder, name, dark=dark)
            view.page.screenshot(f'{target}/{name}-{"dark" if dark else "light"}.png')
            view.page.close()


def main():
    fmlp, pages = map(os.path.realpath, sys.argv[1:3])
    if not browser.find():
        print('skipped: no Chromium (tools/install-dependencies browser)')
        return 77
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        subprocess.run([pages, folder], check=True)
        fixture(chromium, folder)
        others(chromium, folder)
        large(chromium, folder)
        real(chromium, folder, fmlp)
        if len(sys.argv) > 3:
            pictures(chromium, folder, sys.argv[3])
    print(f'{failures} failed' if failures else 'all passed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
