-- seats: which license a seat is drawn on, and why there is none.
-- keys: licenses offers seats assignments account (with sessions: sessions by_user)
-- `used` is always counted from the set of holders: a count that is derived cannot leak.

local valid_offers, short_of, products_of, take, own_sessions, plan

do  -- a script has room for 200 names

local SHOWN = 8  -- own sessions told to a user who is refused

local function used(id)
  return count(seats, id)
end

local offered = {}

-- The licenses of a product for a domain that are valid now, in the order they are drawn on (see offers.lua); read once in a
-- call, for a long queue asks again and again.
function valid_offers(domain, want)
  local field = domain .. '\0' .. want.product
  if offered[field] then
    return offered[field]
  end
  local packed = redis.call('HGET', offers, field)
  if not packed then
    return nil, want.missing
  end
  local valid, code = {}, nil
  for _, id in ipairs(cmsgpack.unpack(packed)) do
    local record = license(id)
    if wall_ms >= record.valid_till_ms then
      code = code or 'license_expired'
    elseif wall_ms < record.valid_from_ms then
      code = 'license_not_yet_valid'
    else
      record.id = id
      valid[#valid + 1] = record
    end
  end
  if #valid == 0 then
    return nil, code
  end
  offered[field] = valid
  return valid
end

local function devices_of(user, id)
  return redis.call('ZLEXCOUNT', seats, '[' .. id .. '\0' .. user .. '/', '(' .. id .. '\0' .. user .. '0')
end

local function competitive(valid, who)
  local found, limit, in_use, taken, largest = {}, 0, 0, 0, nil
  for _, record in ipairs(valid) do
    if record.kind == 'competitive' then
      found[#found + 1] = record
      record.used = used(record.id)
      record.taken = record.used + (promised_number[record.id] or 0)
      record.kept, record.reserved = reserved(record, who)
      taken = taken + record.taken
      limit, in_use = limit + record.limit, in_use + record.used
      if not largest or record.limit > largest.limit then
        largest = record
      end
    end
  end
  return found, limit, in_use, taken, largest
end

local function with_room(found, extra)
  for _, record in ipairs(found) do
    if record.taken + record.kept < record.limit + (extra and record.overdraft or 0) then
      return record
    end
  end
end

-- By license: its limit. By product: the license that had no room.
local limits = {}
short_of = {}

local function seat_on(record, want, overdraft)
  limits[record.id] = record.limit
  return {
    product = want.product, license = record.id, kind = record.kind, holder = want.holder,
    since_ms = wall_ms, overdraft = overdraft or nil,
  }
end

-- Whether the holder has a seat on the license that one more session may share. Where there are more holders than the limit, a seat
-- that is being given up is not shared: it must come free.
local function may_share(record, want, user)
  if not has(seats, record.id .. '\0' .. want.holder) then
    return false
  elseif used(record.id) <= record.limit + record.overdraft then
    return true
  end
  for _, own in ipairs(sessions_of(user)) do
    for _, seat in ipairs(own.record.state ~= 'draining' and own.record.seats or {}) do
      if seat.license == record.id and seat.holder == want.holder then
        return true
      end
    end
  end
  return false
end

-- The license that the user has an assignment of, or the denial. Of a product that counts devices an assignment is good for
-- one device. Nobody new gets a seat above the limit: users who had the assignment before may still hold theirs.
local function nominal_seat(valid, want, user)
  local full = nil
  for _, record in ipairs(valid) do
    if record.kind == 'nominal' and has(assignments, record.id .. '\0' .. user) then
      if may_share(record, want, user) then
        return record
      end
      local devices, in_use = want.devices and devices_of(user, record.id) or 0, used(record.id)
      if devices == 0 and in_use < record.limit then
        return record
      end
      full = full or (devices > 0 and no_seat(want, 1, devices) or no_seat(want, record.limit, in_use))
    end
  end
  return nil, full
end

-- The seat that the holder has already, or is promised. It is one seat, so its marks are the same in every session that shares it.
local function shared_seat(record, want, user)
  local meant = promised[record.id .. '\0' .. want.holder] or {}
  local overdraft, name = meant.overdraft or false, meant.reserved
  for _, own in ipairs(sessions_of(user)) do
    for _, seat in ipairs(counted(own.record)) do
      if seat.license == record.id and seat.holder == want.holder then
        overdraft, name = overdraft or seat.overdraft, name or seat.reserved
      end
    end
  end
  local seat = seat_on(record, want, overdraft)
  seat.reserved = name
  return seat
end

-- One seat for `want`, or the denial; `who` has user, domain, device and groups. Nominal comes before competitive; a seat the holder already has is shared;
-- seats above the limit (overdraft) come last and are marked.
local function choose(want, who)
  local user = who.user
  local valid, code = valid_offers(who.domain, want)
  if not valid then
    return nil, {code = code, product = want.product}
  end
  local against = against_device(valid, want, who)
  if against then
    return nil, against
  end
  local named, full = nominal_seat(valid, want, user)
  if named then
    return seat_on(named, want)
  end
  local found, limit, in_use, taken, largest = competitive(valid, who)
  for _, record in ipairs(found) do
    if promised[record.id .. '\0' .. want.holder] or may_share(record, want, user) then
      return shared_seat(record, want, user)
    end
  end
  short_of[want.product] = (largest or valid[1]).id
  if #found == 0 then
    return nil, full or {code = 'not_assigned', product = want.product}
  end
  if want.combine == 'max' then
    largest.taken, limit, found = taken, largest.limit, {largest}
  end
  local kept, name = with_reservation(found)
  if kept then
    local seat = seat_on(kept, want)
    seat.reserved = name
    return seat
  end
  local free = with_room(found)
  if free then
    return seat_on(free, want)
  end
  local over = with_room(found, true)
  if over then
    return seat_on(over, want, true)
  end
  return nil, no_seat(want, limit, in_use)
end

function products_of(wants)
  local names = {}
  for i, want in ipairs(wants) do
    names[i] = want.product
  end
  return names
end

-- `kind`: whether they are granted, or restored after the store has lost them.
function take(chosen, session, record, kind)
  for _, seat in ipairs(chosen) do
    if redis.call('ZADD', seats, 0, seat.license .. '\0' .. seat.holder) == 1 then
      note_seat(kind or 'granted', seat, session, record)
      if used(seat.license) == limits[seat.license] then
        note('limit_reached', {license = seat.license, product = seat.product, kind = seat.kind})
      end
    end
    if seat.reserved then
      redis.call('ZADD', seats, 0, seat.license .. '\1' .. seat.reserved .. '\0' .. seat.holder)
    end
    for _, own in ipairs(displaced[seat.product] or {}) do
      if not ousted[own.session] then
        ousted[own.session] = true
        drain(own.session, own.record, {type = 'superseded'})
      end
    end
  end
end

function own_sessions(user)
  local list = {}
  for _, own in ipairs(sessions_of(user, SHOWN)) do
    list[#list + 1] = {
      session = own.session, device = own.record.device, since_ms = own.record.since_ms, seats = shown(own.record.seats),
    }
  end
  return list
end

-- What is only wanted comes as far as there is room, but those of one group together or not at all.
local function add_wanted(chosen, has_product, more, who)
  local i = 1
  while i <= #more do
    local group, found, whole = more[i].group, {}, true
    repeat
      if not has_product[more[i].product] then
        local seat = choose(more[i], who)
        whole, found[#found + 1] = whole and seat ~= nil, seat
      end
      i = i + 1
    until i > #more or group == '' or more[i].group ~= group
    for _, seat in ipairs(whole and found or {}) do
      chosen[#chosen + 1], has_product[seat.product] = seat, true
    end
  end
end

-- A customer that is suspended, or is being deleted, gets nothing new.
local barred = nil

local function is_barred()
  if barred == nil then
    local status = redis.call('HGET', account, 'status')
    barred = status == '"suspended"' or status == '"deleted"'
  end
  return barred
end

-- All of `need`; or why not (the first denial that waiting cannot mend, or else the first) and those seats of it that are
-- free. `more` comes as far as there is room. What `who` has already is not drawn again.
function plan(who, need, more)
  local asked = need[1] or more[1]
  if asked and is_barred() then
    return nil, {code = 'suspended', product = asked.product}, {}
  end
  local has_product, chosen, denial = {}, {}, nil
  for _, seat in ipairs(who.seats) do
    has_product[seat.product] = true
  end
  for _, want in ipairs(need) do
    if not has_product[want.product] then
      local seat, why = choose(want, who)
      if why and (not denial or (denial.code == 'no_seat' and why.code ~= 'no_seat')) then
        denial = why
      end
      chosen[#chosen + 1], has_product[want.product] = seat, true
    end
  end
  if denial then
    return nil, denial, chosen
  end
  add_wanted(chosen, has_product, more, who)
  return chosen
end

end
