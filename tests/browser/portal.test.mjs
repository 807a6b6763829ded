// What citizens and neighbours do on the portals of five towns, in a browser:
// search, filter, read a dataset, watch the federation; with a phone, with a
// keyboard, with a screen reader's eyes (axe) and without JavaScript.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import AxeBuilder from "@axe-core/playwright";

import { SCREENSHOTS, TOWNS, eventually, hanse, startBrowser, startDemo } from "./demo.mjs";

const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

describe("the portal", { timeout: 300_000 }, () => {
  let demo;
  let browser;
  const portal = (town = "soest") => demo.town(town).portal;

  before(async () => {
    [demo, browser] = await Promise.all([startDemo(), startBrowser()]);
  });

  after(async () => {
    await browser?.close();
    const status = await demo?.stop();
    if (demo) assert.equal(status, 0, `the demo ends cleanly: ${demo.output()}`);
  });

  /** Runs `visit` on a fresh page; whatever the page complains about fails the test. */
  async function onPage(visit, options = {}) {
    const context = await browser.newContext({ locale: "de-DE", viewport: DESKTOP, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("response", (answer) => {
      if (answer.status() >= 500) complaints.push(`${answer.status()} ${answer.url()}`);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith("http://127.0.0.1:")) complaints.push(`asks ${request.url()}`);
    });
    try {
      await visit(page);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  async function search(page, words, town = "soest") {
    await page.goto(portal(town));
    await page.getByLabel("Suchbegriff").fill(words);
    await page.getByRole("button", { name: "Suchen", exact: true }).click();
  }

  const titles = (page) => page.locator(".hits h3").allInnerTexts();
  const count = async (page) => parseInt(await page.locator("#results-title").innerText(), 10);

  it("finds the datasets of all towns on each of them", async () => {
    await onPage(async (page) => {
      for (const town of TOWNS) {
        await search(page, "Baumkataster", town);
        assert.ok((await titles(page)).includes("Baumkataster"), `on ${town}: ${await titles(page)}`);
      }
    });
  });

  it("finds by the start of a word, a part of a compound, and despite a slip", async () => {
    await onPage(async (page) => {
      for (const words of ["Baumkat", "Kataster", "Baumktaster", "baumkataster"]) {
        await search(page, words);
        assert.ok((await titles(page)).includes("Baumkataster"), `${words}: ${await titles(page)}`);
      }
    });
  });

  it("never shows a closed record, by title or by number", async () => {
    await onPage(async (page) => {
      await search(page, "Melderegister Einzeldaten");
      assert.ok(!(await titles(page)).some((title) => title.includes("Melderegister")));
      await page.goto(portal());
      assert.equal(await count(page), 23);
    });
  });

  it("filters by town and theme, and lets a filter go", async () => {
    await onPage(async (page) => {
      await page.goto(portal());
      const all = await count(page);
      const town = page.getByRole("group", { name: "Stadt" });
      await town.getByRole("checkbox", { name: /^Olpe/ }).check();
      await page.getByRole("button", { name: "Filter anwenden" }).click();
      assert.equal(await count(page), 5);
      assert.ok((await page.locator(".hit-town").allInnerTexts()).every((name) => name.startsWith("Olpe")));

      await page.getByRole("list", { name: "Aktive Filter" }).getByRole("link", { name: /Olpe/ }).click();
      assert.equal(await count(page), all);
    });
  });

  it("says what to do when nothing is found", async () => {
    await onPage(async (page) => {
      await search(page, "Xylophonquarz");
      await page.getByRole("heading", { name: "Kein Datensatz gefunden" }).waitFor();
      await page.getByText("Prüfen Sie die Schreibweise").waitFor();
      await page.getByRole("link", { name: "Alle offenen Datensätze zeigen" }).click();
      assert.equal(await count(page), 23);
    });
  });

  it("shows a neighbour's dataset with its seal and its proof", async () => {
    await onPage(async (page) => {
      await search(page, "Baumkataster", "menden");
      await page.getByRole("link", { name: "Baumkataster", exact: true }).first().click();
      await page.getByRole("heading", { level: 1, name: "Baumkataster" }).waitFor();
      await page.getByText(/Geprüft: Alle Änderungen sind versiegelt von der Stadt/).waitFor();
      await page.getByRole("table").getByText("GeoJSON").first().waitFor();
      const proof = await page.request.get(
        new URL(
          await page.getByRole("link", { name: "Nachweis herunterladen" }).getAttribute("href"),
          page.url(),
        ).href,
      );
      assert.equal(proof.status(), 200);
      assert.ok((await proof.body()).length > 500);
    });
  });

  it("answers an unknown dataset and a wrong address with words", async () => {
    await onPage(async (page) => {
      for (const path of ["/dataset/6f1c1d0e-5b0a-4c59-9d53-0a5c1a7a9b10", "/nirgendwo"]) {
        const answer = await page.request.get(portal() + path, { headers: { accept: "text/html" } });
        assert.equal(answer.status(), 404, path);
        const text = await answer.text();
        assert.ok(text.includes("Was Sie tun können"), path);
      }
    });
  });

  it("speaks English to who asks for it", async () => {
    await onPage(
      async (page) => {
        await page.goto(portal());
        await page.getByRole("heading", { name: "Search datasets" }).waitFor();
        assert.equal(await page.locator("html").getAttribute("lang"), "en");
        await page.getByRole("link", { name: "Deutsch" }).click();
        await page.getByRole("heading", { name: "Datensätze suchen" }).waitFor();
      },
      { locale: "en-GB" },
    );
  });

  it("shows an edit of one town live on another's federation page", async () => {
    await onPage(async (page) => {
      await page.goto(`${portal("olpe")}/federation`);
      await page.getByText("Wird laufend aktualisiert").waitFor();
      await eventually("all four others connected", async () => (await page.locator(".towns tbody tr", { hasText: /(?<!nicht )verbunden/ }).count()) >= 4);

      const title = `Baumkataster, geprüft ${process.pid}`;
      await edit("soest", "Baumkataster", { title: { de: title } });
      // No reload: the page itself has to learn of it.
      await page.getByRole("link", { name: title }).waitFor({ timeout: 20_000 });
      // Each town hears of it by itself.
      await eventually("the new title to be found in Bad Berleburg", async () => {
        await search(page, title, "bad-berleburg");
        return (await titles(page)).includes(title);
      });
      await edit("soest", title, { title: { de: "Baumkataster" } });
    });
  });

  it("pauses the live page and goes on", async () => {
    await onPage(async (page) => {
      await page.goto(`${portal()}/federation`);
      await page.getByText("Wird laufend aktualisiert").waitFor();
      await page.getByRole("button", { name: "Aktualisierung anhalten" }).click();
      await page.getByText("Angehalten").waitFor();
      await page.getByRole("button", { name: "Aktualisierung fortsetzen" }).click();
      await page.getByText("Wird laufend aktualisiert").waitFor();
    });
  });

  it("shows programmers examples that work as they stand", async () => {
    await onPage(
      async (page) => {
        await page.goto(portal());
        await page.getByRole("link", { name: "Schnittstellen", exact: true }).first().click();
        await page.getByRole("heading", { level: 1, name: "Schnittstellen" }).waitFor();
        const commands = await page.locator(".example code").allInnerTexts();
        assert.ok(commands.length >= 8, `${commands}`);
        for (const command of commands) {
          const [, address] = command.match(/^curl '([^']+)'/);
          assert.ok(address.startsWith(portal()), address);
          const answer = await page.request.get(address);
          assert.equal(answer.status(), 200, address);
          assert.ok(!answer.headers()["content-type"].startsWith("text/html"), `${address} is for programs`);
        }
        const button = page.getByRole("button", { name: /Kopieren/ }).first();
        await button.click();
        await page.getByRole("button", { name: /Kopiert/ }).waitFor();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), commands[0]);
      },
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
  });

  it("works without JavaScript", async () => {
    await onPage(
      async (page) => {
        await search(page, "Spielplätze");
        await page.locator(".hits a").first().click();
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByRole("heading", { name: "Echtheit" }).waitFor();
        await page.goto(`${portal()}/federation`);
        await page.getByText("Stand beim Laden der Seite").waitFor();
        assert.equal(await page.locator(".towns tbody tr").count(), 5);
        assert.equal(await page.getByRole("button", { name: /Aktualisierung/ }).isVisible(), false);
      },
      { javaScriptEnabled: false },
    );
  });

  it("can be used with the keyboard alone", async () => {
    await onPage(async (page) => {
      await page.goto(portal());
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "Zum Inhalt springen");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "content");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.id), "q");
      await page.keyboard.type("Wetterstationen");
      await page.keyboard.press("Enter");
      await page.locator(".hits").waitFor();
      const first = page.locator(".hits a").first();
      for (let steps = 0; steps < 200 && !(await first.evaluate((link) => link === document.activeElement)); steps += 1) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: /Wetterstationen/ }).waitFor();
    });
  });

  for (const [device, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    it(`is accessible and fits on a ${device}`, async () => {
      await onPage(
        async (page) => {
          await search(page, "Baumkataster");
          const dataset = await page.locator(".hits a").first().getAttribute("href");
          const pages = {
            search: `${portal()}/?q=Stadt`,
            nothing: `${portal()}/?q=Xylophonquarz`,
            dataset: new URL(dataset, portal()).href,
            federation: `${portal()}/federation`,
            developers: `${portal()}/developers`,
          };
          for (const [name, address] of Object.entries(pages)) {
            await page.goto(address);
            await page.getByRole("heading", { level: 1 }).waitFor();
            await page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}.png`), fullPage: true });
            const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
            const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
            assert.deepEqual(told, [], `${name} on a ${device}`);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
            assert.ok(overflow <= 0, `${name} on a ${device} is ${overflow} px too wide`);
          }
        },
        { viewport },
      );
    });
  }

  it("notices a page that is not accessible", async () => {
    await onPage(async (page) => {
      await page.goto(portal());
      await page.evaluate(() => document.body.append(document.createElement("input")));
      const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
      assert.ok(violations.some(({ id }) => id === "label"));
    });
  });

  /** Changes an open dataset through its town's desk, as a program would. */
  async function edit(town, title, body) {
    const { directory, desk } = demo.town(town);
    const headers = {
      authorization: `Bearer ${await hanse("token", "--dir", directory)}`,
      "content-type": "application/json",
    };
    const found = await eventually(`${title} on the desk of ${town}`, async () => {
      const answer = await fetch(`${desk}/api/v1/datasets?q=${encodeURIComponent(title)}`, { headers });
      assert.equal(answer.status, 200);
      const { items } = await answer.json();
      return items.find((item) => (item.title.de ?? item.title) === title && item.town_name?.startsWith("Soest"));
    });
    const answer = await fetch(`${desk}/api/v1/datasets/${found.id}`, {
      method: "PATCH",
      headers,
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
});
