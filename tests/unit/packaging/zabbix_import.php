<?php
// What Zabbix' own frontend says of a template: php zabbix_import.php FRONTEND FILE.json; prints a line for each mistake.
error_reporting(E_ALL & ~E_DEPRECATED);
[, $root, $file] = $argv;
chdir($root);
set_include_path($root);
require_once 'include/gettextwrapper.inc.php';
require_once 'include/defines.inc.php';
spl_autoload_register(function ($class) use ($root) {
	static $files = null;
	if ($files === null) {
		$files = [];
		$folder = new RecursiveDirectoryIterator("$root/include/classes", FilesystemIterator::SKIP_DOTS);
		foreach (new RecursiveIteratorIterator($folder) as $found) {
			$files[$found->getBasename('.php')] = $found->getPathname();
		}
	}
	if (isset($files[$class])) {
		require_once $files[$class];
	}
});

$data = json_decode(file_get_contents($file), true);
try {
	(new CXmlValidator(new CImportValidatorFactory('yaml'), 'yaml'))->setStrict(true)->validate($data, '');
} catch (Exception $error) {
	echo $error->getMessage(), "\n";
}

$lld = ['usermacros' => true, 'lldmacros' => true];
$key = new CItemKey();
$expression = new CExpressionParser($lld);
$pattern = new CPrometheusPatternParser($lld);
foreach ($data['zabbix_export']['templates'] as $template) {
	$items = $template['items'];
	foreach ($template['discovery_rules'] as $rule) {
		$items = array_merge($items, [$rule], $rule['item_prototypes']);
	}
	foreach ($items as $item) {
		if ($key->parse($item['key']) != CParser::PARSE_SUCCESS) {
			echo "key {$item['key']}: {$key->getError()}\n";
		}
		foreach ($item['triggers'] ?? [] as $trigger) {
			if ($expression->parse($trigger['expression']) != CParser::PARSE_SUCCESS) {
				echo "expression {$trigger['expression']}: {$expression->getError()}\n";
			}
		}
		foreach ($item['preprocessing'] ?? [] as $step) {
			if (strpos($step['type'], 'PROMETHEUS') === 0
					&& $pattern->parse($step['parameters'][0]) != CParser::PARSE_SUCCESS) {
				echo "pattern {$step['parameters'][0]}\n";
			}
		}
	}
}
