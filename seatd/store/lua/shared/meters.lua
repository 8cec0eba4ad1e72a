-- meters: how much was in use, scope by scope: a meter that runs in the hour that goes on, and rows of the hours, days and months before.
-- keys: meters spread usage
-- A meter is {count, over, last_ms, low, high, peak, seat_ms, over_ms, grants, healed, denials by code or nil}: what is in use since
-- last_ms, how much of it in the overdraft; and what the hour (UTC) of last_ms has had so far. That of the customer has one thing
-- more: when all of them were last counted anew. How long each count lasted stands in
-- `spread`, from `low` to `high`, so that a meter stays small: it is read and written with every seat. A row, of a time that is over,
-- is {peak, seat_ms, over_ms, grants, healed, denials by code, milliseconds by count}; of a time without use or request there is none.
-- A closed hour is in `usage` as h, and added to its day (d) and month (m).

local HOUR_MS = 3600000
-- By scope: the meters that this script has to do with, as they are at the present moment.
local running = {}
local metered_ms, meter_of, row_of, field_of, month_of, write_meters

do  -- a script has room for 200 names

local HOURS_KEPT, DAYS_KEPT = 960, 800

-- By field: rows that are to be written, and what is to be added to `spread`; and what is to go from there.
local closed, passed, ended = {}, {}, {}

-- Counts from 200 on are grouped, in steps of 1 % at the most.
local function bucket(count)
  local width = 1
  while count >= 200 * width do
    width = width * 2
  end
  return count - count % width, width
end

local function steady(meter, ms)
  return {meter[1], meter[1] * ms, meter[2] * ms, 0, 0, {}, {[bucket(meter[1])] = ms}}
end

-- Time goes by; answers the group of the count that it goes to.
local function pass(meter, ms)
  if ms > 0 and meter[1] > 0 then
    local at = bucket(meter[1])
    meter[4], meter[5] = meter[4] > 0 and math.min(meter[4], at) or at, math.max(meter[5], at)
    meter[7], meter[8] = meter[7] + meter[1] * ms, meter[8] + meter[2] * ms
    return at
  end
end

-- A command takes only so many words from Lua.
local function portions(words, send)
  for first = 1, #words, 2000 do
    send(unpack(words, first, math.min(first + 1999, #words)))
  end
end

-- How long each count has lasted in the meter's hour, and under which names that stands. There may be hundreds of counts, and `format`
-- writes a name in a fraction of the time that `..` takes.
local function spread_of(scope, meter)
  local by_count, counts, fields, at, highest, number = {}, {}, {}, meter[4], meter[5], 0
  local format, name, width = string.format, '%d\0' .. string.gsub(scope, '%%', '%%%%'), 1
  while at > 0 and at <= highest do
    if at >= 200 then
      at, width = bucket(at)
    end
    number = number + 1
    counts[number], fields[number] = at, format(name, at)
    at = at + width
  end
  number = 0
  portions(fields, function(...)
    local lasted = redis.call('HMGET', spread, ...)
    for i = 1, #lasted do
      if lasted[i] then
        by_count[counts[number + i]] = lasted[i] + 0
      end
    end
    number = number + #lasted
  end)
  return by_count, fields
end

-- What the meter's hour had, as a row; `plain`: without how long each count lasted.
function row_of(scope, meter, plain)
  local by_count, fields = {}, {}
  if not plain then
    by_count, fields = spread_of(scope, meter)
  end
  return {meter[6], meter[7], meter[8], meter[9], meter[10], meter[11] or {}, by_count}, fields
end

local function add(row, more)
  row[1] = math.max(row[1], more[1])
  for i = 2, 5 do
    row[i] = row[i] + more[i]
  end
  for i = 6, 7 do
    for name, value in pairs(more[i]) do
      row[i][name] = (row[i][name] or 0) + value
    end
  end
end

-- Months since the year 0 of a day since 1970 (the calendar's 400 years have 146,097 days; March comes first, so a leap day is last).
function month_of(day)
  local era = math.floor((day + 719468) / 146097)
  local of_era = day + 719468 - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - 365 * year - math.floor(year / 4) + math.floor(year / 100)
  return (era * 400 + year) * 12 + math.floor((5 * of_year + 2) / 153) + 2
end

function field_of(level, number, scope)
  return level .. string.format('%.0f', number) .. '\0' .. scope
end

local function add_to(level, number, scope, more)
  local field = field_of(level, number, scope)
  if not closed[field] then
    local packed = redis.call('HGET', usage, field)
    closed[field] = packed and cmsgpack.unpack(packed) or {0, 0, 0, 0, 0, {}, {}}
  end
  add(closed[field], more)
end

local function close_hour(scope, hour, meter, rest_ms)
  local at = pass(meter, rest_ms)
  local row, fields = row_of(scope, meter)
  if at then
    row[7][at] = (row[7][at] or 0) + rest_ms
  end
  for _, field in ipairs(fields) do
    ended[#ended + 1] = field
  end
  if row[1] > 0 or row[5] > 0 or next(row[6]) then
    closed[field_of('h', hour, scope)] = row
    add_to('d', math.floor(hour / 24), scope, row)
    add_to('m', month_of(math.floor(hour / 24)), scope, row)
  end
end

-- Whole hours in which nothing changed. They may be many, so their days and months are reckoned day by day.
local function fill(scope, meter, from, till)
  if meter[1] == 0 then
    return
  end
  from = math.max(from, till - DAYS_KEPT * 24)
  local same = steady(meter, HOUR_MS)
  for hour = math.max(from, till - HOURS_KEPT), till - 1 do
    closed[field_of('h', hour, scope)] = same
  end
  for day = math.floor(from / 24), math.floor((till - 1) / 24) do
    local hours = math.min(till, day * 24 + 24) - math.max(from, day * 24)
    local row = steady(meter, hours * HOUR_MS)
    add_to('d', day, scope, row)
    add_to('m', month_of(day), scope, row)
  end
end

-- The meter of an hour in which nothing has happened yet.
local function fresh(count, over, at_ms)
  return {count, over, at_ms, 0, 0, count, 0, 0, 0, 0}
end

local function advance(scope, meter, at_ms)
  local before, hour = math.floor(meter[3] / HOUR_MS), math.floor(at_ms / HOUR_MS)
  if before < hour then
    close_hour(scope, before, meter, (before + 1) * HOUR_MS - meter[3])
    fill(scope, meter, before + 1, hour)
    local recounted_ms = meter[12]
    meter = fresh(meter[1], meter[2], hour * HOUR_MS)
    meter[11], meter[12] = recounted_ms and {}, recounted_ms
  end
  local at = pass(meter, at_ms - meter[3])
  if at then
    passed[at .. '\0' .. scope] = at_ms - meter[3]
  end
  meter[3] = at_ms
  running[scope] = meter
  return meter
end

-- The last moment of which the customer's meters know: their time never goes back, whatever the server's clock does.
function metered_ms()
  local packed = redis.call('HGET', meters, 'c')
  local meter = packed and cmsgpack.unpack(packed) or fresh(0, 0, wall_ms)
  return advance('c', meter, math.max(wall_ms, meter[3]))[3]
end

function meter_of(scope, at_ms)
  if not running[scope] then
    local packed = redis.call('HGET', meters, scope)
    advance(scope, packed and cmsgpack.unpack(packed) or fresh(0, 0, at_ms), at_ms)
  end
  return running[scope]
end

-- What is older than is kept is looked for a little at a time, whenever an hour has been closed: scopes that nobody uses any more age too.
local function forget_old_rows()
  local hours = math.floor(wall_ms / HOUR_MS)
  local oldest = {h = hours - HOURS_KEPT, d = math.floor(hours / 24) - DAYS_KEPT, m = 0}
  local looked_at = math.min(500, math.max(20, math.floor(redis.call('HLEN', usage) / 500)))
  local fields = redis.call('HRANDFIELD', usage, looked_at)
  for _, field in ipairs(fields) do
    local level, number = string.match(field, '^(%a)(%d+)')
    if tonumber(number) < oldest[level] then
      redis.call('HDEL', usage, field)
    end
  end
end

local function write_rows()
  local words, packed = {}, {}
  for field, row in pairs(closed) do
    packed[row] = packed[row] or cmsgpack.pack(row)
    words[#words + 1], words[#words + 2] = field, packed[row]
  end
  portions(words, function(...)
    redis.call('HSET', usage, ...)
  end)
  if #words > 0 then
    forget_old_rows()
  end
end

function write_meters()
  local words = {}
  for scope, meter in pairs(running) do
    words[#words + 1], words[#words + 2] = scope, cmsgpack.pack(meter)
  end
  portions(words, function(...)
    redis.call('HSET', meters, ...)
  end)
  portions(ended, function(...)
    redis.call('HDEL', spread, ...)
  end)
  for field, ms in pairs(passed) do
    redis.call('HINCRBY', spread, field, ms)
  end
  write_rows()
end

end
