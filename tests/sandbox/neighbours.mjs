// The official TypeScript SDK asks the sandbox for what is beside the video API, and checks each answer by its own schemas.
// node neighbours.mjs NODE_MODULES BASE_URL KEY GENERATION
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, serverURL, apiKey, id] = process.argv.slice(2);
const sdk = createRequire(resolve(folder, "here.js")).resolve("@openrouter/sdk");
const { OpenRouter } = await import(pathToFileURL(sdk));
const client = new OpenRouter({ apiKey, serverURL, retryConfig: { strategy: "none" } });

async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(...page.result.data);
  return found.length;
}

const video = { outputModalities: "video", limit: 10 };
const key = (await client.apiKeys.getCurrentKeyMetadata()).data;
const generation = (await client.generations.getGeneration({ id })).data;
const endpoints = (await client.endpoints.list({ author: "bytedance", slug: "seedance-2.0" })).data.endpoints;
console.log(JSON.stringify({
  models: await all(await client.models.list(video)),
  count: (await client.models.count({ outputModalities: "video" })).data.count,
  own: await all(await client.models.listForUser({ bearer: apiKey }, video)),
  tag: endpoints[0].tag,
  usage: [key.usage, key.usageDaily, key.usageWeekly, key.usageMonthly],
  totalUsage: (await client.credits.getCredits()).data.totalUsage,
  generation: [generation.id, generation.totalCost],
}));
