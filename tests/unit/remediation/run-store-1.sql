BEGIN TRANSACTION;
CREATE TABLE allowed(old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY(old, new));
INSERT INTO "allowed" VALUES('new','proposed');
INSERT INTO "allowed" VALUES('proposed','awaiting_approval');
INSERT INTO "allowed" VALUES('proposed','admitted');
INSERT INTO "allowed" VALUES('proposed','expired');
INSERT INTO "allowed" VALUES('proposed','rejected');
INSERT INTO "allowed" VALUES('proposed','cancelled');
INSERT INTO "allowed" VALUES('proposed','aborted');
INSERT INTO "allowed" VALUES('awaiting_approval','admitted');
INSERT INTO "allowed" VALUES('awaiting_approval','expired');
INSERT INTO "allowed" VALUES('awaiting_approval','rejected');
INSERT INTO "allowed" VALUES('awaiting_approval','cancelled');
INSERT INTO "allowed" VALUES('awaiting_approval','aborted');
INSERT INTO "allowed" VALUES('admitted','leased');
INSERT INTO "allowed" VALUES('admitted','aborted');
INSERT INTO "allowed" VALUES('admitted','cancelled');
INSERT INTO "allowed" VALUES('leased','prechecked');
INSERT INTO "allowed" VALUES('leased','aborted');
INSERT INTO "allowed" VALUES('leased','cancelled');
INSERT INTO "allowed" VALUES('prechecked','executing');
INSERT INTO "allowed" VALUES('prechecked','aborted');
INSERT INTO "allowed" VALUES('prechecked','cancelled');
INSERT INTO "allowed" VALUES('executing','verifying');
INSERT INTO "allowed" VALUES('executing','unknown');
INSERT INTO "allowed" VALUES('verifying','succeeded');
INSERT INTO "allowed" VALUES('verifying','failed');
INSERT INTO "allowed" VALUES('verifying','unknown');
INSERT INTO "allowed" VALUES('unknown','succeeded');
INSERT INTO "allowed" VALUES('unknown','failed');
CREATE TABLE approval(
  nonce TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES run(id), actor TEXT NOT NULL, plan_hash TEXT NOT NULL,
  expires REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);
INSERT INTO "approval" VALUES('1554fad9587e62c73b9a957542236085','018bcfe56800-4a8d8b45','human:ann','h',1000000000.0,1,0);
CREATE TABLE backoff(target TEXT PRIMARY KEY, level INTEGER NOT NULL, last REAL NOT NULL, healthy_since REAL);
CREATE TABLE blocked(guard TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE breaker(scope TEXT PRIMARY KEY, open INTEGER NOT NULL, failures INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE budget(
  run TEXT PRIMARY KEY REFERENCES run(id), at REAL NOT NULL, guest TEXT NOT NULL, host TEXT NOT NULL,
  class TEXT NOT NULL, action TEXT NOT NULL);
INSERT INTO "budget" VALUES('018bcfe56800-4a8d8b45',0.0,'domain/u1','xen1','L2','domain_start');
CREATE TABLE entry(
  seq INTEGER PRIMARY KEY, run TEXT REFERENCES run(id), kind TEXT NOT NULL, old TEXT, new TEXT, actor TEXT NOT NULL,
  reason TEXT NOT NULL, facts TEXT NOT NULL, wall REAL NOT NULL, at REAL NOT NULL, boot TEXT NOT NULL,
  prev TEXT NOT NULL, hash TEXT NOT NULL);
INSERT INTO "entry" VALUES(1,'018bcfe56800-4a8d8b45','move','new','proposed','xenwatch','r','{"plan": ["xl create"]}',1700000000.0,0.0,'boot-1','','c5f283f4b04a5e3b00840266adf49930029e6757c1d47674508bfd4d44e9d320');
INSERT INTO "entry" VALUES(2,'018bcfe56800-4a8d8b45','move','proposed','awaiting_approval','agent','waits','{}',1700000000.0,0.0,'boot-1','c5f283f4b04a5e3b00840266adf49930029e6757c1d47674508bfd4d44e9d320','6c2eb638ddde3796c9cc72ce1935b675e0d6a64f2d8cfd75371b923ea701d478');
INSERT INTO "entry" VALUES(3,'018bcfe56800-4a8d8b45','approval',NULL,NULL,'human:ann','approved','{"nonce": "1554fad9587e62c73b9a957542236085", "plan_hash": "h"}',1700000000.0,0.0,'boot-1','6c2eb638ddde3796c9cc72ce1935b675e0d6a64f2d8cfd75371b923ea701d478','907f8d3f9bea91412263fcd30398aaf13637ae9657ce6f2238c487e44b36af28');
INSERT INTO "entry" VALUES(4,'018bcfe56800-4a8d8b45','move','awaiting_approval','admitted','agent','','{}',1700000000.0,0.0,'boot-1','907f8d3f9bea91412263fcd30398aaf13637ae9657ce6f2238c487e44b36af28','51b3577cd0f39f22009d19a4593f7645e4ac72e6fe2936312a27c8240aa15de9');
INSERT INTO "entry" VALUES(5,'018bcfe56800-738a1ade','move','new','proposed','xenwatch','r','{"plan": ["xl create"]}',1700000000.0,0.0,'boot-1','51b3577cd0f39f22009d19a4593f7645e4ac72e6fe2936312a27c8240aa15de9','044eca3a86d4ea5e0ca7f6fbf894e134826cd2c814115fc9872c3462491ec90c');
INSERT INTO "entry" VALUES(6,'018bcfe56800-738a1ade','move','proposed','awaiting_approval','agent','waits','{}',1700000000.0,0.0,'boot-1','044eca3a86d4ea5e0ca7f6fbf894e134826cd2c814115fc9872c3462491ec90c','0af8cc575139e5803b04c9ae8b166eac9293e511dfaaa96c3413649e9a28064c');
CREATE TABLE failing(target TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE fence(target TEXT PRIMARY KEY, highest INTEGER NOT NULL);
CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO "head" VALUES(1,6,'0af8cc575139e5803b04c9ae8b166eac9293e511dfaaa96c3413649e9a28064c');
CREATE TABLE maintenance(scope TEXT PRIMARY KEY, owner TEXT NOT NULL, reason TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('boot','boot-1');
INSERT INTO "meta" VALUES('monotonic','1000.0');
INSERT INTO "meta" VALUES('at','0.0');
CREATE TABLE nonce(value TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE outbox(
  id TEXT PRIMARY KEY, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next REAL NOT NULL,
  done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE run(
  id TEXT PRIMARY KEY, dedupe_key TEXT NOT NULL UNIQUE, action TEXT NOT NULL, target TEXT NOT NULL, host TEXT NOT NULL,
  rule TEXT NOT NULL, trouble TEXT NOT NULL, mode TEXT NOT NULL,
  risk TEXT NOT NULL, policy_hash TEXT NOT NULL, plan_hash TEXT NOT NULL,
  proposal TEXT NOT NULL, requester TEXT NOT NULL, expires REAL NOT NULL, needs_approval INTEGER NOT NULL,
  created REAL NOT NULL, wall REAL NOT NULL, boot TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new', reason TEXT NOT NULL DEFAULT '', token INTEGER, guard TEXT NOT NULL DEFAULT '');
INSERT INTO "run" VALUES('018bcfe56800-4a8d8b45','a','domain_start','domain/u1','xen1','r','incident|a|1|x|domain/u1','auto','L2','p','h','{"action": "domain_start", "dedupe_key": "a", "expires": 1000000000.0, "four_eyes": false, "host": "xen1", "mode": "auto", "needs_approval": false, "params": {}, "plan": ["xl create"], "plan_hash": "h", "policy_hash": "p", "requester": "xenwatch", "risk": "L2", "rule": "r", "target": {"domid": null, "host": null, "kind": "domain", "name": "web", "uuid": "u1"}, "trigger": {"acknowledged_by": "", "aliases": [], "class_": "", "explained_by": "", "fingerprint": "a", "labels": {}, "name": "x", "source": "incident", "starts_at": "1", "target": {"domid": null, "host": null, "kind": "domain", "name": "web", "uuid": "u1"}}}','xenwatch',1000000000.0,0,0.0,1700000000.0,'boot-1','admitted','',NULL,'');
INSERT INTO "run" VALUES('018bcfe56800-738a1ade','b','domain_start','domain/u1','xen1','r','incident|b|1|x|domain/u1','auto','L2','p','h','{"action": "domain_start", "dedupe_key": "b", "expires": 1000000000.0, "four_eyes": false, "host": "xen1", "mode": "auto", "needs_approval": false, "params": {}, "plan": ["xl create"], "plan_hash": "h", "policy_hash": "p", "requester": "xenwatch", "risk": "L2", "rule": "r", "target": {"domid": null, "host": null, "kind": "domain", "name": "web", "uuid": "u1"}, "trigger": {"acknowledged_by": "", "aliases": [], "class_": "", "explained_by": "", "fingerprint": "b", "labels": {}, "name": "x", "source": "incident", "starts_at": "1", "target": {"domid": null, "host": null, "kind": "domain", "name": "web", "uuid": "u1"}}}','xenwatch',1000000000.0,0,0.0,1700000000.0,'boot-1','awaiting_approval','waits',NULL,'');
CREATE TABLE storm(one INTEGER PRIMARY KEY CHECK(one=1), active INTEGER NOT NULL, calm_since REAL);
INSERT INTO "storm" VALUES(1,0,NULL);
CREATE TABLE switch(
  one INTEGER PRIMARY KEY CHECK(one=1), off INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL);
INSERT INTO "switch" VALUES(1,0,'','');
CREATE TABLE trouble(
  key TEXT PRIMARY KEY, trigger TEXT NOT NULL, firing INTEGER NOT NULL, handled INTEGER NOT NULL DEFAULT 0,
  at REAL NOT NULL);
CREATE INDEX run_state ON run(state);
CREATE INDEX run_target ON run(target);
CREATE INDEX entry_run ON entry(run);
CREATE TRIGGER entry_is_kept BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER run_stays BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'a run is never deleted'); END;
CREATE TRIGGER run_is_fixed BEFORE UPDATE OF
  id, dedupe_key, action, target, host, rule, trouble, risk, policy_hash, plan_hash, proposal, requester, expires ON run
  BEGIN SELECT RAISE(ABORT, 'what a run is cannot be changed'); END;
CREATE TRIGGER move_is_allowed BEFORE INSERT ON entry WHEN NEW.kind = 'move' BEGIN
  SELECT RAISE(ABORT, 'no such move') WHERE NOT EXISTS (SELECT 1 FROM allowed WHERE old = NEW.old AND new = NEW.new);
  SELECT RAISE(ABORT, 'the run is in another state') WHERE NEW.old IS NOT (SELECT state FROM run WHERE id = NEW.run);
  SELECT RAISE(ABORT, 'only a person or a recovery leaves unknown')
    WHERE NEW.old = 'unknown' AND NEW.actor NOT LIKE 'human:%' AND NEW.actor NOT LIKE 'recovery:%';
  SELECT RAISE(ABORT, 'no budget was reserved')
    WHERE NEW.new = 'admitted' AND NOT EXISTS (SELECT 1 FROM budget WHERE run = NEW.run);
  SELECT RAISE(ABORT, 'no lease is held')
    WHERE NEW.new = 'executing' AND (SELECT token FROM run WHERE id = NEW.run) IS NULL;
END;
CREATE TRIGGER move_applies AFTER INSERT ON entry WHEN NEW.kind = 'move' BEGIN
  UPDATE run SET state = NEW.new, reason = NEW.reason WHERE id = NEW.run;
END;
CREATE TRIGGER state_follows_entry BEFORE UPDATE OF state ON run
  WHEN NEW.state IS NOT (SELECT new FROM entry WHERE run = NEW.id AND kind = 'move' ORDER BY seq DESC LIMIT 1)
  BEGIN SELECT RAISE(ABORT, 'a state changes through a journal entry only'); END;
CREATE TRIGGER intent_needs_executing BEFORE INSERT ON entry WHEN NEW.kind = 'intent'
  AND 'executing' IS NOT (SELECT state FROM run WHERE id = NEW.run)
  BEGIN SELECT RAISE(ABORT, 'an effect needs an executing run'); END;
CREATE TRIGGER budget_is_kept BEFORE DELETE ON budget
  WHEN (SELECT state FROM run WHERE id = OLD.run) NOT IN ('aborted', 'cancelled')
  BEGIN SELECT RAISE(ABORT, 'a budget is given back only where nothing was done'); END;
CREATE TRIGGER fence_rises BEFORE UPDATE ON fence WHEN NEW.highest < OLD.highest
  BEGIN SELECT RAISE(ABORT, 'a fencing token never falls'); END;
CREATE TRIGGER allowed_is_fixed BEFORE INSERT ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
CREATE TRIGGER allowed_is_kept BEFORE UPDATE ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
CREATE TRIGGER allowed_stays BEFORE DELETE ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
COMMIT;
PRAGMA user_version=1;
