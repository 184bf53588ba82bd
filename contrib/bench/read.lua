-- SPDX-License-Identifier: ISC
-- For wrk: reads profiles in an order drawn at random, the same for each
-- server that is asked.  wrk -t1 ... -s read.lua URL -- FINGERPRINTS
local paths = {}
bad = 0

function init(args)
	for udf in io.lines(args[1]) do
		paths[#paths + 1] = "/.well-known/mmm/" .. udf .. ".json"
	end
	math.randomseed(1)
end

function request()
	return wrk.format("GET", paths[math.random(#paths)])
end

function response(status)
	if status ~= 200 then
		bad = bad + 1
	end
end

local threads = {}
function setup(thread)
	table.insert(threads, thread)
end

function done(summary, latency)
	local failed = 0
	for _, thread in ipairs(threads) do
		failed = failed + thread:get("bad")
	end
	io.write(string.format("result %d %d %d %d %d\n", summary.requests,
	    summary.duration, failed, latency:percentile(50),
	    latency:percentile(99)))
end
