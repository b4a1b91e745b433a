"""A headless Chromium driven over a pair of pipes by its DevTools protocol; nothing but Python is needed.

    with Browser() as browser:
        page = browser.open('file:///...')
        page.evaluate('1 + 1')
        page.errors              # console errors, exceptions, violations of the page's policy
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ('chromium', 'chromium-browser', 'google-chrome', 'chromium-headless-shell')


def find():
    """The browser's program, None where there is none."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Failed(Exception):
    pass


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp()
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()

        def connect():  # the browser reads from 3 and writes to 4
            wanted = (os.dup(to_read), os.dup(to_write))
            os.dup2(wanted[0], 3)
            os.dup2(wanted[1], 4)

        self.process = subprocess.Popen(
            [find(), '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
             '--disable-background-networking', '--disable-component-update', '--hide-scrollbars', '--mute-audio',
             '--force-device-scale-factor=1', '--window-size=1360,900', '--remote-debugging-pipe',
             f'--user-data-dir={self.folder}', 'about:blank'],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.number, self.pages = b'', 0, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call('Browser.close', wait=5)
        except Failed:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _message(self, until):
        while b'\0' not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.read_end], [], [], left)[0]:
                raise Failed('the browser does not answer')
            piece = os.read(self.read_end, 1 << 20)
            if not piece:
                raise Failed('the browser has gone')
            self.buffer += piece
        text, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, session=None, wait=60, **parameters):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': parameters}
        if session:
            message['sessionId'] = session
        data = json.dumps(message).encode() + b'\0'
        while data:
            data = data[os.write(self.write_end, data):]
        until = time.monotonic() + wait
        while True:
            answer = self._message(until)
            if answer.get('id') == message['id']:
                if 'error' in answer:
                    raise Failed(f'{method}: {answer["error"]["message"]}')
                return answer['result']
            page = self.pages.get(answer.get('sessionId'))
            if page and 'method' in answer:
                page.event(answer['method'], answer['params'])

    def open(self, url, dark=False, width=1360, height=900, wait=60):
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        page = self.pages[session] = Page(self, session, target)
        for domain in ('Runtime', 'Log', 'Page', 'Network'):
            self.call(f'{domain}.enable', session)
        page.media(dark)
        self.call('Emulation.setDeviceMetricsOverride', session, width=width, height=height, deviceScaleFactor=1,
                  mobile=False)
        self.call('Page.navigate', session, url=url, wait=wait)
        return page


class Page:
    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target
        self.errors, self.requests = [], []

    def event(self, method, parameters):
        if method == 'Runtime.exceptionThrown':
            details = parameters['exceptionDetails']
            self.errors.append(details.get('exception', {}).get('description', details['text']))
        elif method == 'Runtime.consoleAPICalled' and parameters['type'] in ('error', 'warning', 'assert'):
            self.errors.append(' '.join(str(a.get('value', a.get('description'))) for a in parameters['args']))
        elif method == 'Log.entryAdded' and parameters['entry']['level'] in ('error', 'warning'):
            self.errors.append(parameters['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(parameters['request']['url'])

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def media(self, dark, paper=False):
        self.call('Emulation.setEmulatedMedia', media='print' if paper else '', features=[
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def evaluate(self, script, wait=60):
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True, wait=wait)
        if 'exceptionDetails' in answer:
            details = answer['exceptionDetails']
            raise Failed(f'{script}: {details.get("exception", {}).get("description", details["text"])}')
        return answer['result'].get('value')

    def until(self, script, wait=60):
        """Evaluates until it is true."""
        end = time.monotonic() + wait
        while not self.evaluate(script):
            if time.monotonic() > end:
                raise Failed(f'never: {script}')
            time.sleep(0.02)

    def settle(self):
        """Two frames, so that what was asked for is drawn."""
        self.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))')

    def mouse(self, kind, x, y, button='none', **more):
        self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button=button, **more)

    def click(self, x, y):
        self.mouse('mousePressed', x, y, 'left', clickCount=1)
        self.mouse('mouseReleased', x, y, 'left', clickCount=1)

    def key(self, key, code=0, text=''):
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=key, windowsVirtualKeyCode=code, text=text)

    def screenshot(self, path, whole=True):
        self.settle()
        data = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=whole)['data'] if not whole else \
            self._whole()
        with open(path, 'wb') as out:
            out.write(base64.b64decode(data))

    def _whole(self):
        size = self.call('Page.getLayoutMetrics')['cssContentSize']
        return self.call('Page.captureScreenshot', format='png', captureBeyondViewport=True, clip={
            'x': 0, 'y': 0, 'width': size['width'], 'height': min(size['height'], 16000), 'scale': 1})['data']

    def close(self):
        self.browser.call('Target.closeTarget', targetId=self.target)
