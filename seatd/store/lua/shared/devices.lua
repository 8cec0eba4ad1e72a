-- devices: what a product's or a license's rule, and the user's extension, say to one more device of a user.
-- keys: users extensions (with sessions)

-- By product: the sessions that a newer device of the user takes the place of, if the plan is carried out; and those ended so.
local displaced, ousted = {}, {}

local function no_seat(want, limit, in_use)
  return {code = 'no_seat', product = want.product, limit = limit, used = in_use}
end

-- How many other devices of the user hold the product, on whichever license; not those that this one takes the place of.
local function other_devices(user, want, rivals)
  local seen, number = {}, 0
  for _, own in ipairs(rivals or {}) do
    for _, seat in ipairs(own.record.seats) do
      seen[seat.holder] = true
    end
  end
  for _, own in ipairs(sessions_of(user)) do
    for _, seat in ipairs(own.record.seats) do
      if seat.product == want.product and seat.holder ~= want.holder and not seen[seat.holder] then
        seen[seat.holder], number = true, number + 1
      end
    end
  end
  return number
end

-- The license's own rule for several devices of one user comes before the catalogue's.
local function device_rule(valid, want)
  for _, record in ipairs(valid) do
    if record.policy and record.policy.device then
      return record.policy.device
    end
  end
  return want.device_rule
end

-- The user's sessions on other devices of the same kind that hold the product.
local function same_class(want, who)
  local found = {}
  for _, own in ipairs(sessions_of(who.user)) do
    local device = own.record.device
    if own.record.state ~= 'draining' and device.kind == who.device.kind and device.id ~= who.device.id then
      for _, seat in ipairs(own.record.seats) do
        if seat.product == want.product then
          found[#found + 1] = own
          break
        end
      end
    end
  end
  return found
end

-- How many devices an add-on of the user's extension is there for; nil: no extension says anything of that.
local function provisioned(user, want)
  local known = want.add_on and redis.call('HGET', users, user)
  local digits = known and cjson.decode(known).extension or ''
  local record = digits ~= '' and redis.call('HGET', extensions, digits)
  if not record then
    return nil
  end
  local number = 0
  for _, product in ipairs(cjson.decode(record).add_ons or {}) do
    number = number + (product == want.product and 1 or 0)
  end
  return number
end

-- What the rule says against one more device of the user, or nil.
local function against_device(valid, want, who)
  local rule, rivals = device_rule(valid, want), {}
  if rule == 'one_per_class' or rule == 'take_over' then
    rivals = same_class(want, who)
  end
  if rule == 'one_per_class' and #rivals > 0 then
    return no_seat(want, 1, #rivals)
  end
  displaced[want.product] = rivals
  local most = provisioned(who.user, want) or (want.max_per_user > 0 and want.max_per_user)
  if most == 0 then
    return {code = 'not_assigned', product = want.product}
  end
  local devices = most and other_devices(who.user, want, rivals) or 0
  if most and devices >= most then
    return no_seat(want, most, devices)
  end
end
